/** Libraries over the hook: however their program ends, what they have started is not left to nobody. docs/protect.md has the table. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { limit } from '../support/limits.js'
import { installed } from '../support/protect/installed.js'
import { ends, endsAsTold, leftAfter, libraries, versionOf } from '../support/protect/libraries.js'

/** `npm run test:libraries`: those too that are installed for it. */
const areAll = process.env.TEST_LIBRARIES === 'all'
const tried = Object.entries({ ...libraries, ...(areAll && installed()) })
const names = Object.keys(ends) as (keyof typeof ends)[]

describe.each(tried)('%s', (_name, library) => {
  it.each(names)('%s', (end) => endsAsTold(library, end), limit(60_000))
})

/** The same without protection, and a table of what was seen. */
describe.runIf(areAll)('the table', () => {
  const rows: string[] = []
  afterAll(() => writeFileSync(join(programs, 'libraries.md'), `${rows.join('\n')}\n`))

  it.each(tried)(
    '%s',
    async (name, library) => {
      for (const isProtected of [false, true]) {
        const cells = [name, versionOf(library), isProtected ? 'protected' : 'plain']
        for (const end of names) {
          const left = await leftAfter(library, isProtected, end)
          cells.push(left === 0 ? 'all gone' : `${left} left`)
        }
        rows.push(`| ${cells.join(' | ')} |`)
      }
    },
    limit(600_000),
  )
})
