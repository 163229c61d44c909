import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { closed, echo, ended, SIGINT, SIGTERM, temporaryFolder } from '../support/processes.js'
import { signalState } from '../support/signal-state.js'

const root = join(import.meta.dirname, '../..')

/** As a test runner that resets its modules does it: the library twice, over one addon. */
async function evaluateAgain(): Promise<typeof import('sigshield')> {
  const folder = temporaryFolder()
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  for (const name of ['build', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
  return import(join(folder, 'dist/index.js'))
}

it('a library that is evaluated twice starts and joins the children of each as they were asked for', async () => {
  const again = await evaluateAgain()
  expect(again.ExitEvent).not.toBe(ExitEvent)
  const starts = [
    { start: spawnProtected, ignore: 'SIGINT', ignored: SIGINT },
    { start: again.spawnProtected, ignore: 'SIGTERM', ignored: SIGTERM },
    { start: spawnProtected, ignore: 'SIGINT', ignored: SIGINT },
  ] as const
  const children = starts.map(({ start, ignore, ignored }) => {
    const child = ended(start('cat', { ignore: [ignore], stdio: ['pipe', 'pipe', 'inherit'] }))
    return { child, exit: closed(child), ignored }
  })
  for (const { child, exit, ignored } of children) {
    expect(await echo(child, 'here')).toBe('here')
    expect(signalState(child.pid as number).ignored).toEqual([ignored])
    child.stdin.end()
    expect(await exit).toEqual({ code: 0, signal: null })
  }
})
