/** What a start is told when the system can't give what watching its child takes. */
import { once } from 'node:events'
import { join } from 'node:path'
import { spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { native } from '../../lib/native/load.js'
import { ended, line, temporaryFolder } from '../support/processes.js'
import { compiledLibrary } from './compiled.js'

const parent = join(import.meta.dirname, '../support/exit-event/unwatched-parent.mjs')

// What children are watched by, where there is no /proc.
const isMac = native().processTable !== undefined

it.each([
  ['REFUSE_NESTED', isMac ? 'ENOSPC kevent' : 'ENOSPC epoll_ctl'],
  ['REFUSE_SETS', isMac ? 'EMFILE kqueue' : 'EMFILE epoll_create1'],
])('%s: the step that failed, and the next start works', async (variable, failure) => {
  const file = join(temporaryFolder(), 'refuse')
  const child = ended(
    spawnProtected(process.execPath, [parent, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LD_PRELOAD: compiledLibrary('refusing'), [variable]: file },
    }),
  )
  const end = once(child, 'close')
  expect(await line(child.stdout)).toBe(failure)
  expect(await line(child.stdout)).toBe(failure)
  expect(await line(child.stdout)).toBe('exit 0')
  expect(await end).toEqual([0, null])
})
