/** The tools that look at documents: they must find all code in them, and tell when it is wrong. */
import { expect } from 'chai';
import { complaintsAbout } from './compile-snippets.js';
import { exportedNames } from './exported-names.js';
import { docExamples, fencedBlocks, type Snippet } from './snippets.js';

const fragment = (code: string): Snippet => ({
  file: 'WRONG.md',
  line: 7,
  language: 'ts',
  code,
  name: undefined,
  output: undefined,
});

describe('fenced blocks', () => {
  it('have the line they begin on, their language, the file they name and the output behind them', () => {
    const text = [
      '# Title',
      '',
      '```js',
      '// a.js',
      'run();',
      '```',
      '',
      '```text',
      'done',
      '```',
      '',
      '```ts',
      'x;',
      '```',
    ];
    const [program, output, other, ...more] = fencedBlocks('A.md', text.join('\n'));
    expect(program).to.deep.equal({
      file: 'A.md',
      line: 4,
      language: 'js',
      code: '// a.js\nrun();',
      name: 'a.js',
      output: 'done',
    });
    expect(output).to.include({ line: 9, language: 'text', output: undefined });
    expect(other).to.include({ line: 13, language: 'ts', code: 'x;', name: undefined, output: undefined });
    expect(more).to.deep.equal([]);
  });

  it('are not silently cut off', () => {
    expect(() => fencedBlocks('A.md', '# Title\n```ts\nx;\n')).to.throw('A.md:2: the block is never closed');
  });
});

describe('examples of docstrings', () => {
  it('end with the next tag or the comment, and keep their indentation', () => {
    const text = [
      '/**',
      ' * Adds.',
      ' *',
      ' * @example',
      ' * if (a)',
      ' *   add(1);',
      ' * @see b',
      ' */',
      'x;',
      '/**',
      '   * @example',
      '   * add(2);',
      '   */',
    ];
    expect(docExamples('a.ts', text.join('\n')).map(({ line, code }) => [line, code])).to.deep.equal([
      [5, 'if (a)\n  add(1);'],
      [12, 'add(2);'],
    ]);
  });
});

describe('exported names', () => {
  it('tells values from types, in declarations and lists', () => {
    const text = `export const a = 1;\nexport async function b() {}\nexport class C {}\nexport interface D {}\nexport type E = D;
export { type F, g, h as i } from './x.js';\nexport type { J } from './y.js';\nconst k = 1;`;
    const { values, types } = exportedNames(text);
    expect([...values]).to.deep.equal(['a', 'b', 'C', 'g', 'i']);
    expect([...types]).to.deep.equal(['D', 'E', 'F', 'J']);
  });
});

describe('the compiler of snippets', function () {
  this.timeout(60_000);
  const troupe = { specifier: 'troupe', names: exportedNames("export { actor, type Duration } from 'x'") };

  it('takes what is right, and names what is wrong by the line of its document', async () => {
    const complaints = await complaintsAbout([
      {
        snippet: fragment("const wait: Duration = '5s';\nactor({ name: 'a', initialState: () => 1, receive: {} });"),
        known: [troupe],
      },
      { snippet: fragment("import { actor } from 'troupe';\n\nactor({ name: 5 });"), known: [troupe] },
      { snippet: fragment("const wait: Duration = '5 parsecs';"), known: [troupe] },
      { snippet: fragment("import { actr } from 'troupe';"), known: [] },
      { snippet: fragment('const unknown = nobody;'), known: [] },
    ]);
    expect(complaints.map((one) => one.replace(/: error.*|(TS\d+): .*/, '$1'))).to.have.members([
      'WRONG.md:9: TS2322',
      'WRONG.md:7: TS2322',
      'WRONG.md:7: TS2724',
      'WRONG.md:7: TS2304',
    ]);
  });
});
