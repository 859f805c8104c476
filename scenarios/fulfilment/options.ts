/** Options that the scenarios about fulfilment share. */
import { ScenarioInputError } from 'troupe';

export const ORDERS_OPTION = {
  orders: { type: 'number', default: 60, description: 'orders of the real day 2011-12-05 to play, at most 132' },
} as const;

export const MERMAID_OPTION = {
  mermaid: {
    type: 'string',
    placeholder: 'FILE',
    description: 'write the sequence diagram of what happened to an order, as Mermaid text',
  },
} as const;

/** @throws ScenarioInputError for a number of orders that the day doesn't have, or too few for every kind of mishap */
export function checkedOrders(orders: number): number {
  if (Number.isInteger(orders) && orders >= 5 && orders <= 132) return orders;
  throw new ScenarioInputError(`--orders ${orders}: give a whole number from 5 to 132`);
}
