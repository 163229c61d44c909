/** Libraries over the hook: however their program ends, what they have started is not left to nobody. docs/protect.md has the table. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { limit } from '../support/limits.js'
import { ends, leftAfter, libraries, versionOf } from '../support/protect/libraries.js'

const wholeTable = process.env.TEST_LIBRARIES === 'all'
/** As without protection: of what a parent leaves that had no time to end it, the kernel ends the child itself alone. */
const ownChild = ['SIGTERM', 'parent SIGKILLed']

describe.each(Object.entries(libraries))('%s', (_name, library) => {
  it.each(Object.entries(ends))(
    '%s',
    async (how, end) => {
      const mayLeave = ownChild.includes(how) || (library.leavesAtHangup && how === 'terminal closed')
      const left = await leftAfter(library, true, end, mayLeave ? limit(1000) : undefined)
      if (!mayLeave) expect(left).toBe(0)
    },
    limit(60_000),
  )
})

/** `npm run test:libraries`: the same without protection, and a table of what was seen. */
describe.runIf(wholeTable)('the table', () => {
  const rows: string[] = []
  afterAll(() => writeFileSync(join(programs, 'libraries.md'), `${rows.join('\n')}\n`))

  it.each(Object.entries(libraries))(
    '%s',
    async (name, library) => {
      for (const isProtected of [false, true]) {
        const cells = [name, versionOf(library), isProtected ? 'protected' : 'plain']
        for (const end of Object.values(ends)) {
          const left = await leftAfter(library, isProtected, end, 8000)
          cells.push(left === 0 ? 'all gone' : `${left} left`)
        }
        rows.push(`| ${cells.join(' | ')} |`)
      }
    },
    limit(600_000),
  )
})
