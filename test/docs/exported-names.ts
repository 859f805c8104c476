/** What a TypeScript source exports, told from its text: enough for the sources of this repository, which a formatter has laid out. */

/** Names by kind: types exist only for the compiler and are imported as such. */
export interface ExportedNames {
  readonly values: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

const DECLARATION = /^export (?:async )?(function\*?|class|const|interface|type) (\w+)/gm;
const LIST = /^export (type )?\{([^}]+)\}/gm;

export function exportedNames(source: string): ExportedNames {
  const values = new Set<string>();
  const types = new Set<string>();
  for (const [, kind, name = ''] of source.matchAll(DECLARATION)) {
    (kind === 'interface' || kind === 'type' ? types : values).add(name);
  }
  for (const [, onlyTypes, list = ''] of source.matchAll(LIST)) {
    for (const entry of list.split(',').map((one) => one.trim())) {
      const name = entry.replace(/^type /, '').replace(/^\w+ as /, '');
      if (name !== '') (onlyTypes !== undefined || entry.startsWith('type ') ? types : values).add(name);
    }
  }
  return { values, types };
}
