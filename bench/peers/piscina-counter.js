/** The counter as a Piscina task: the thread keeps the count. */
let count = 0;

export default function next(amount) {
  count += amount;
  return count;
}
