/**
 * Mocha runs the compiled tests in dist/test.
 *
 * The list of files is made from the sources, not from dist: a test that was deleted or renamed leaves its output
 * behind, and must not go on running from there. Files named on the command line run alone:
 * `npx mocha dist/test/mailbox/ring-buffer.test.js`.
 */
const { readdirSync } = require('node:fs');

const named = process.argv.slice(2).some((argument) => /\.test\.js$|^dist\//.test(argument));
const compiled = () =>
  readdirSync('test', { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `dist/test/${file.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`)
    .sort();

module.exports = {
  spec: named ? [] : compiled(),
  'node-option': ['enable-source-maps'],
  'forbid-only': true,
  // For what hangs. A machine that is busy with other things takes ten times as long as a calm one.
  timeout: 60_000,
};
