/** The map, the decisions and the changelog point at what is there: folders, files, tests, packages. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readRepositoryFile, ROOT } from './compile-snippets.js';
import { documentFaults } from './document-links.js';

describe('src/README.md', () => {
  it('names every folder of src/, and only those', async () => {
    const entries = await readdir(join(ROOT, 'src'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const map = /## Code map[^]*?\n## /.exec(await readRepositoryFile('src/README.md'))?.[0] ?? '';
    const named = [...map.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, name = '']) => name);
    expect(named, 'the map changes in the commit that changes the structure').to.have.members(folders);
  });

  it('gives folders the ranks that the architecture test holds', async () => {
    const map = await readRepositoryFile('src/README.md');
    const laws = await readRepositoryFile('test/architecture.test.ts');
    const ranks = [...map.matchAll(/^\| `(\w+)\/` \| (\d) \|/gm)];
    expect(ranks).to.have.length.above(8);
    for (const [, folder = '', rank = ''] of ranks) expect(laws).to.contain(`  ${folder}: ${rank},\n`);
  });

  it('names for each invariant a test that exists', async () => {
    const map = await readRepositoryFile('src/README.md');
    const invariants = /## Invariants[^]*?\n## /.exec(map)?.[0] ?? '';
    const rows = invariants.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| promise'));
    expect(rows).to.have.length.above(25);
    for (const row of rows) {
      const [, file = '', title = ''] = /`(test\/[^`]+)` "([^"]+)" \|$/.exec(row) ?? [];
      expect(file, row).not.to.equal('');
      // A `…` stands for what may change, such as a number.
      const text = await readRepositoryFile(file);
      for (const part of title.split('…')) expect(text, `${file} has no test "${title}"`).to.contain(part);
    }
  });

  it('names files and links that exist', async () => {
    expect(await documentFaults('src/README.md')).to.deep.equal([]);
  });
});

describe('src/DECISIONS.md', () => {
  it('numbers its decisions without repeat, each with a status', async () => {
    const text = await readRepositoryFile('src/DECISIONS.md');
    const sections = text.split(/^## (?=D-)/m).slice(1);
    expect(sections).to.have.length.above(20);
    for (const section of sections) expect(section).to.match(/^D-\d{3}: .+\n\n\*[A-Z]/);
    const numbers = sections.map((section) => section.slice(0, 'D-000'.length));
    expect(new Set(numbers)).to.have.length(numbers.length);
  });

  it('has a line for every dependency, and for no other', async () => {
    const text = await readRepositoryFile('src/DECISIONS.md');
    const manifest = JSON.parse(await readRepositoryFile('package.json')) as Record<string, Record<string, string>>;
    const used = Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] });
    const table = /## Dependencies[^]*?\n## /.exec(text)?.[0] ?? '';
    const lines = [...table.matchAll(/^\| ([@a-z][^|]*?) \|/gm)].map(([, packages = '']) => packages);
    const named = lines
      .filter((one) => one !== 'package')
      .flatMap((one) => one.replaceAll(/ \(exact\)/g, '').split(', '));
    const types = used.filter((one) => one.startsWith('@types/'));
    const explained = named.flatMap((one) => (one === '@types/*' ? types : [one]));
    expect(explained).to.have.members(used);
  });

  it('names files and links that exist', async () => {
    expect(await documentFaults('src/DECISIONS.md')).to.deep.equal([]);
  });
});

describe('CHANGELOG.md', () => {
  it('has a section for what is not released yet, and links that exist', async () => {
    expect(await readRepositoryFile('CHANGELOG.md')).to.contain('## [Unreleased]');
    expect(await documentFaults('CHANGELOG.md')).to.deep.equal([]);
  });
});
