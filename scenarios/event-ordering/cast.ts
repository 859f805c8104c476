/** The cast of `event-ordering`: an item whose stock level is told by somebody else, so that the last word counts. */
import { aggregate } from 'troupe';

/** What the source tells: the level of an item after its n-th movement. */
export interface LevelTold {
  readonly sequence: number;
  readonly level: number;
}

export const item = aggregate({
  name: 'item',
  initialState: () => ({ level: 0, sequence: 0, disordered: 0 }),
  events: {
    'level.told': {
      apply: (state, data: LevelTold) => ({
        level: data.level,
        sequence: data.sequence,
        disordered: state.disordered + (data.sequence < state.sequence ? 1 : 0),
      }),
    },
  },
});
