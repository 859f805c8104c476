/** The bank that both shops use: up, slow, or down. A charge is known by its order, so a second one takes nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { actor } from 'troupe';

export type BankMode = 'up' | 'slow' | 'down';

/** Milliseconds for one charge; one that is down lets people wait, and then has no answer. */
const TAKES: Readonly<Record<BankMode, number>> = { up: 1, slow: 40, down: 150 };

export const bank = actor({
  name: 'bank',
  initialState: () => ({ mode: 'up' as BankMode, charged: new Set<string>() }),
  receive: {
    be(state, mode: BankMode) {
      state.mode = mode;
    },
    async charge(state, orderId: string) {
      const { mode } = state;
      await sleep(TAKES[mode]);
      if (mode === 'down') return false;
      state.charged.add(orderId);
      return true;
    },
    charged: (state) => state.charged.size,
  },
});
