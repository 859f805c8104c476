/** What is said of choreography and orchestration, each as a number of the two runs that could prove it wrong. */
import type { Played } from '../fulfilment/play.js';

export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
  /** What was seen. */
  readonly shown: string;
}

export function claims(choreographed: Played, orchestrated: Played): Claim[] {
  const most = ({ knows }: Played): number => Math.max(...[...knows.values()].map(({ size }) => size));
  const perOrder = ({ undoing }: Played): number => undoing.events / Math.max(1, undoing.orders);
  const idle = ({ events }: Played): number => events.filter(isIdleUndoing).length;
  const both = [choreographed, orchestrated];
  return [
    {
      claim: 'choreography couples loosely: nobody knows more than two services',
      holds: most(choreographed) <= 2,
      shown: `at most ${most(choreographed)}, the coordinator ${most(orchestrated)}`,
    },
    {
      claim: 'choreography has no single point of failure: the flow is spread over many parts',
      holds: choreographed.knows.size >= 8,
      shown: `${choreographed.knows.size} reactions against ${orchestrated.knows.size} coordinator`,
    },
    {
      claim: 'choreography makes the flow hard to see: it stands in as many places as there are parts',
      holds: choreographed.knows.size > orchestrated.knows.size,
      shown: `${choreographed.knows.size} places to read against ${orchestrated.knows.size}`,
    },
    {
      claim: 'choreography makes failures hard to handle: everybody is told to undo, also who had done nothing',
      holds: idle(choreographed) > 0,
      shown: `${idle(choreographed)} services undid nothing`,
    },
    {
      claim: 'orchestration handles failures in one place: only what was begun is undone',
      holds: idle(orchestrated) <= idle(choreographed) && perOrder(orchestrated) <= perOrder(choreographed) + 1,
      shown: `${idle(orchestrated)} services undid nothing, ${perOrder(orchestrated).toFixed(1)} events for each order undone`,
    },
    {
      claim: 'orchestration is coupled to its coordinator: it knows every service',
      holds: most(orchestrated) === 6,
      shown: `${most(orchestrated)} services`,
    },
    {
      claim: 'either way nobody waits: the customer is answered before the flow has ended',
      holds: both.every(({ answeredFirst, answerMs }) => answeredFirst >= 0.9 * answerMs.length),
      shown: both.map(({ answeredFirst, answerMs }) => `${answeredFirst} of ${answerMs.length}`).join(' and '),
    },
  ];
}

/** An event by which a service sees to it that nothing comes of an order that it had never heard of. */
function isIdleUndoing({ type, data }: { readonly type: string; readonly data: unknown }): boolean {
  if (type === 'shipment.stopped') return true;
  return type === 'payment.voided' && (data as { readonly amountMills: number }).amountMills === 0;
}
