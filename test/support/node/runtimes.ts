/**
 * What runs a program but is not Node. The suite has none but a Node that says it is Bun; `npm run test:runtimes` names others in
 * TEST_RUNTIMES, as JSON of this form.
 */
import { join } from 'node:path'

export interface Runtime {
  /** As in a message, or its beginning. */
  readonly name: string
  /** The program and its arguments before the script. */
  readonly command: readonly [string, ...string[]]
}

const asBun: Runtime = {
  name: 'Bun 1.4.5',
  command: [process.execPath, '--import', join(import.meta.dirname, 'as-bun.mjs')],
}

export const runtimes: readonly Runtime[] = process.env.TEST_RUNTIMES ? JSON.parse(process.env.TEST_RUNTIMES) : [asBun]
