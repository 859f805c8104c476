/**
 * `troupe backup JOURNAL TARGET`: a copy of a journal, also while a system writes it, checked when it is there.
 */
import { backupJournal } from '../journal/backup-journal.js';
import { EXIT } from '../scenario/scenario-host.js';
import { withReader } from './journal-file.js';
import { tool } from './tool.js';

export const backupCommand = tool({
  name: 'backup',
  summary: 'copy a journal while it is written, and verify the copy',
  about: [
    'The copy is of one moment, complete, and a journal like any other; it gets its name only when all of it is on the ' +
      'disk. Nothing is overwritten. Read models need no backup: they are built anew from the journal.',
  ],
  words: ['TARGET'],
  options: {},
  examples: [['backup shop.db backups/shop-monday.db', 'while the shop is open']],
  exits: { ok: 'the copy is there and sound', failed: 'it could not be written, or is damaged because the journal is' },
  async run({ journal, words: [target = ''], out, problems, json }) {
    const { path, position, bytes } = await backupJournal(journal, target);
    const faults: string[] = [];
    await withReader(path, (copy) => copy.verify({ found: ({ message }) => faults.push(message) }));
    if (json) out.json({ ok: faults.length === 0, path, position, bytes, faults });
    else out.line(`${target}: ${position} events, ${bytes} bytes${faults.length === 0 ? ', sound' : ''}`);
    for (const fault of faults) problems.line(`the copy is damaged, and so is the journal: ${fault}`);
    return faults.length === 0 ? EXIT.ok : EXIT.failed;
  },
});
