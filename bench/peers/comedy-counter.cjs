/** The counter as a comedy actor; comedy sends the class to whichever thread it lives on. */
class CounterActor {
  initialize() {
    this.count = 0;
  }

  add(amount) {
    this.count += amount;
  }

  next(amount) {
    this.count += amount;
    return this.count;
  }
}

module.exports = CounterActor;
