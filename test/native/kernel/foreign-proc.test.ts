/** In a pid namespace whose /proc is of another: its numbers are other processes'. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { programs } from '../../support/build-programs.js'
import { silentWhileHeld } from '../../support/native/kernel/held.js'
import { closed, ended, line, temporaryFolder } from '../../support/processes.js'

const at = (file: string) => pathToFileURL(join(import.meta.dirname, '../../../dist', file)).href

/** The next process of the namespace has the number of this one outside, which has executed a program long ago. */
const next = (pid: number) => `writeFileSync('/proc/sys/kernel/ns_last_pid', String(${pid} - 1))`

function inside(code: string, own: boolean, wrapper: string[] = []): ChildProcess {
  const program = `import { spawn } from 'node:child_process'
    import { writeFileSync } from 'node:fs'
    import { spawnProtected } from '${at('index.js')}'
    import { stateOf } from '${at('signals.js')}'
    ${code}`
  const unshare = ['--pid', '--fork', '--kill-child', ...(own ? ['--mount-proc'] : [])]
  const node = [process.execPath, '--input-type=module', '-e', program]
  return ended(spawn('unshare', [...unshare, ...wrapper, ...node], { stdio: ['ignore', 'pipe', 'inherit'] }))
}

async function said(child: ChildProcess): Promise<unknown> {
  const first = await line(child.stdout)
  expect(await closed(child)).toEqual({ code: 0, signal: null })
  return JSON.parse(first)
}

describe.skipIf(process.getuid?.() !== 0)('as root, who may make one', () => {
  it.each([false, true])('no start returns before its child is through (/proc is its own: %s)', async (own) => {
    const flag = join(temporaryFolder(), 'held')
    const code = `${next(process.pid)}
      spawnProtected('true', { cwd: '/', stdio: 'ignore' }).on('exit', (code) => console.log(code))
      console.log('started')`
    const child = inside(code, own, [join(programs, 'held'), flag])
    const output = await silentWhileHeld(child, flag)
    await closed(child)
    expect(output()).toBe('started\n0\n')
  })

  const refused = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'
  const stops = `const other = spawn('sleep', ['1000'])
    const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore' })
    const codeOf = async (look) => { try { return await look() } catch ({ code }) { return code } }
    const state = await codeOf(() => stateOf(other.pid).pid === other.pid)
    const stop = await codeOf(async () => (await child.stop({ target: 'tree' })).signal)
    const plain = await codeOf(async () => (await child.stop()).signal)
    console.log(JSON.stringify({ state, stop, plain, other: other.exitCode ?? other.signalCode }))
    other.kill()`

  it('no tree is ended, and no state is told, by numbers that are not its own', async () => {
    const found = await said(inside(stops, false))
    expect(found).toEqual({ state: refused, stop: refused, plain: 'SIGTERM', other: null })
  })

  it.each([['exec'], ['run']])(
    'sigshield %s hands on its own environment, and not that of another',
    async (command) => {
      const bin = join(import.meta.dirname, '../../../bin/sigshield.js')
      // The shell that the command begins with has the number of this process outside.
      const script = `echo ${process.pid - 1} > /proc/sys/kernel/ns_last_pid; OWN=1 ${bin} ${command} env; true`
      const { stdout } = await promisify(execFile)('unshare', ['--pid', '--fork', '--kill-child', 'sh', '-c', script], {
        env: { PATH: process.env.PATH },
      })
      expect(stdout).toContain('OWN=1\n')
      expect(stdout).not.toContain('VITEST')
    },
  )

  it('with a /proc of its own they are (the control)', async () => {
    expect(await said(inside(stops, true))).toEqual({ state: true, stop: 'SIGTERM', plain: 'SIGTERM', other: null })
  })
})
