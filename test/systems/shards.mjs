/** The files of the suite for a slow machine of another kind: which make sense there, and which go together. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** By what the name of a file matches, with the reason. */
const leftOut = [
  { files: /\.alone\.test\.ts$/, reason: 'measures, floods, or exhausts a machine: emulated, it says nothing' },
  {
    files: /^test\/(house|examples\/(pages|tsdoc))\.test\.ts$/,
    reason: 'reads sources and pages by the compiler, and runs little',
  },
  {
    files: /^test\/protect\/libraries\.test\.ts$/,
    reason: 'programs of others, and by name everywhere: npm run test:libraries',
  },
  {
    files: /^test\/examples\/recipes\.test\.ts$/,
    reason: 'takes a test runner from the registry, which a guest has not',
  },
  { files: /^test\/posix\//, reason: 'the path of a Mac' },
  {
    files: /^test\/native\/loading\.test\.ts$/,
    reason: 'replaces a module of the library, which is in one file there',
  },
]

/** All that are run, sorted. */
export const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file}`)
  .filter((file) => file.endsWith('.test.ts') && !leftOut.some(({ files }) => files.test(file)))
  .sort()

/** Those of one shard: by a file's own name, so that it stays in its shard whatever comes and goes beside it. */
export function shardOf(/** @type {number} */ number, /** @type {number} */ count) {
  return files.filter((file) => createHash('sha256').update(file).digest().readUInt32BE() % count === number - 1)
}
