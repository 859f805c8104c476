/**
 * Gathers the questions of one tick into one query; while two queries are under way, the next gathers. Two, so that the
 * database works on one while the answer of the other is taken apart.
 *
 * A trip to the database costs the same for one aggregate as for many, and waking up a thousand of them at once is
 * what recovery is.
 */

interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Queries under way. */
const AT_ONCE = 2;

export class TickBatch<Question, Answer> {
  readonly #answer: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #limit: number;
  #waiting: Waiting<Question, Answer>[] = [];
  #running = 0;

  /** `answer` returns one answer for each question, in their order. */
  constructor(limit: number, answer: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    this.#limit = limit;
    this.#answer = answer;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      if (this.#running === AT_ONCE) return;
      this.#running += 1;
      process.nextTick(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#settle(this.#waiting.splice(0, this.#limit));
    this.#running -= 1;
  }

  /** Where a batch fails each question is asked alone, so that one damaged page fails nobody else's. */
  async #settle(batch: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#answer(batch.map(({ question }) => question));
      // One answer for each question is what `answer` promises.
      for (let i = 0; i < batch.length; i += 1) batch[i]?.resolve(answers[i] as Answer);
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const waiting of batch) await this.#settle([waiting]);
    }
  }
}
