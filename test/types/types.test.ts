/** The definitions of the type tests at run time: what the compiler promised is there. */
import { expect } from 'chai';
import type { EventToApply } from '../../src/core/recorded-event.js';
import { clerk, order, salesByCountry, shipment, tally } from './shop.js';

describe('typed definitions', () => {
  it('are plain data: kind, name and options, and nothing that exists only for the compiler', () => {
    for (const definition of [order, shipment, tally, clerk, salesByCountry]) {
      expect(Object.keys(definition)).to.deep.equal(['kind', 'name', 'options']);
      expect(Object.isFrozen(definition)).to.equal(true);
    }
  });

  it('have the messages, queries and events that their types name', () => {
    expect([...order.options.events.keys()]).to.have.members([
      'order.created',
      'order.shipped',
      'order.noted',
      'order.touched',
    ]);
    expect([...order.options.commands.keys()]).to.have.members([
      'create',
      'ship',
      'nothing',
      'note',
      'touch',
      'swallow',
    ]);
    expect([...order.options.queries.keys()]).to.have.members(['total', 'line']);
    expect([...tally.options.receive.keys()]).to.have.members(['add', 'total', 'describe', 'swallow']);
  });

  it('fold events as written', () => {
    const created = order.options.events.get('order.created');
    const data = { lines: [{ sku: 'a', quantity: 1 }], total: 5, currency: 'GBP' };
    const event: EventToApply = {
      aggregate: 'order',
      aggregateId: '1',
      version: 1,
      type: 'order.created',
      schemaVersion: 2,
      data,
      id: 'order/1@1',
      commandId: 'c',
      correlationId: 'c',
      causationId: null,
      metadata: {},
    };
    expect(created?.apply(order.options.initialState('1'), data, event)).to.deep.equal({
      status: 'placed',
      lines: data.lines,
      total: 5,
    });
    expect(created?.upcast.get(1)?.({ total: 5 })).to.deep.equal({ total: 5, currency: 'GBP' });
  });

  it('keep rows as written', () => {
    const handler = salesByCountry.options.on.get('sale.made');
    const event = { data: { country: 'UK', total: 7 } } as never;
    expect(salesByCountry.options.key?.(event)).to.equal('UK');
    const first = handler?.(undefined, event, 'UK');
    expect(first).to.deep.equal({ orders: 1, total: 9 });
    expect(handler?.({ country: 'UK', ...(first as object) }, event, 'UK')).to.deep.equal({
      country: 'UK',
      orders: 2,
      total: 18,
    });
  });
});
