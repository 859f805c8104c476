/** The two ways of joining the same services, and how a customer calls an order off in each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ActorSystem, isTroupeError } from 'troupe';
import { fulfilOrder } from '../../actors/fulfilment/fulfil-order.js';
import { order } from '../../actors/services.js';

export interface Way {
  readonly name: 'choreography' | 'orchestration';
  readonly cast: URL;
  /** The customer calls an order off. */
  callOff(system: ActorSystem, orderId: string): Promise<void>;
}

export const CHOREOGRAPHY: Way = {
  name: 'choreography',
  cast: new URL('../../actors/index.js', import.meta.url),
  async callOff(system, orderId) {
    // One story with the order that it is about.
    const options = { id: `call-off-${orderId}`, correlationId: `create-${orderId}`, timeout: '1m' } as const;
    await system.ref(order, orderId).ask('cancel', { reason: 'customer' }, options);
  },
};

/** Times that a coordinator is asked for before it is given up, and the milliseconds in between. */
const LOOKS = 2_000;
const LOOK_EVERY_MS = 5;

export const ORCHESTRATION: Way = {
  name: 'orchestration',
  cast: new URL('../../actors/orchestrated.js', import.meta.url),
  async callOff(system, orderId) {
    for (let look = 1; ; look += 1) {
      try {
        return await system.ref(fulfilOrder, orderId).cancel('customer');
      } catch (error) {
        // An order is there a moment before its coordinator.
        if (!isTroupeError(error, 'TROUPE_ACTOR_STOPPED') || look >= LOOKS) throw error;
        await sleep(LOOK_EVERY_MS);
      }
    }
  },
};
