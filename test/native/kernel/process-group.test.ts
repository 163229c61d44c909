/** Process groups of children, and the terminal that one of them holds. */
import { join } from 'node:path'
import { type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../support/process-table.mjs'
import { closed, echo, ended, until } from '../../support/processes.js'
import { CTRL_C, CTRL_Z, Terminal } from '../../support/terminal.js'

const parent = join(import.meta.dirname, '../../support/native/kernel/foreground-parent.mjs')

async function groupOf(options: SpawnProtectedOptions) {
  const child = ended(spawnProtected('cat', options))
  await echo(child, 'running')
  return { child, group: processOf(child.pid as number)?.group }
}

describe('processGroup', () => {
  it('true: one of its own, which others can join by its number', async () => {
    const { child: leader, group } = await groupOf({ processGroup: true })
    expect(group).toBe(leader.pid)
    expect((await groupOf({ processGroup: group as number })).group).toBe(group)
  })

  it.each([{}, { processGroup: false }])('the parent’s with %j', async (options) => {
    expect((await groupOf(options)).group).toBe(processOf(process.pid)?.group)
  })

  it('true with detached: the new session leads it already', async () => {
    const { child, group } = await groupOf({ processGroup: true, detached: true })
    expect(group).toBe(child.pid)
  })

  it.each([
    ['a group that is not there', { processGroup: 2 ** 31 - 1 }],
    ['a group of another session', { processGroup: process.pid, detached: true }],
  ])('%s is refused by the system', (_which, options) => {
    expect(() => spawnProtected('true', options)).toThrow(expect.objectContaining({ code: 'EPERM', step: 'setpgid' }))
  })

  it.each([
    [{ processGroup: 'x' }, 'ERR_INVALID_ARG_TYPE'],
    [{ processGroup: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ processGroup: -5 }, 'ERR_OUT_OF_RANGE'],
    [{ processGroup: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ foreground: 1 }, 'ERR_INVALID_ARG_TYPE'],
  ])('%j is refused', (options, code) => {
    expect(() => spawnProtected('true', options as object)).toThrow(expect.objectContaining({ code }))
  })
})

describe('in a terminal, a child', () => {
  const reading = 'read line; echo "child got $line"'
  const start = (script: string, options: SpawnProtectedOptions, command = 'bash') =>
    new Terminal(process.execPath, [parent, command, script, JSON.stringify(options)])

  async function parentReads(terminal: Terminal): Promise<void> {
    await terminal.shows('parent reads')
    terminal.type('two\r')
    await terminal.shows('parent got two')
    expect(await terminal.exit).toEqual({ exitCode: 0, signal: 0 })
  }

  it('in the foreground reads, and gives the terminal back when it exits', async () => {
    const terminal = start(reading, { foreground: true })
    await terminal.shows('holds the terminal: true')
    terminal.type('one\r')
    await terminal.shows('child got one')
    await parentReads(terminal)
    expect(terminal.screen).toContain('child ended: 0 null')
  })

  it('gives it back to a parent that has no descriptor left', async () => {
    const script = `ulimit -n 64; exec "$@"`
    const args = [process.execPath, parent, 'bash', reading, JSON.stringify({ foreground: true }), 'exhausted']
    const terminal = new Terminal('bash', ['-c', script, 'bash', ...args])
    await terminal.shows('no descriptor left: EMFILE')
    terminal.type('one\r')
    await terminal.shows('child ended: 0 null')
    await parentReads(terminal)
  })

  it('in the background is stopped when it reads (the control)', async () => {
    const terminal = start(reading, { processGroup: true })
    const position = await terminal.shows('child ')
    await terminal.shows('holds the terminal: false')
    const pid = Number(/^\d+/.exec(terminal.screen.slice(position))?.[0])
    await until(() => processOf(pid)?.state === 'T', 'SIGTTIN has stopped it')
    await parentReads(terminal)
    expect(terminal.screen).not.toContain('child got')
  })

  it('in the foreground takes the Ctrl-C, and the parent does not', async () => {
    const terminal = start('sleep 1000', { foreground: true })
    await terminal.shows('holds the terminal: true')
    terminal.type(CTRL_C)
    await terminal.shows('child ended: null SIGINT')
    await parentReads(terminal)
  })

  it('in the foreground gives the terminal back when it is killed', async () => {
    const terminal = start('kill -KILL $$', { foreground: true })
    await terminal.shows('child ended: null SIGKILL')
    await parentReads(terminal)
  })

  it('in the foreground gives the terminal back when it is stopped', async () => {
    const terminal = start('echo up; while :; do sleep 0.01; done', { foreground: true })
    await terminal.shows('up')
    terminal.type(CTRL_Z)
    await parentReads(terminal)
    expect(terminal.screen).toContain('child ended: null SIGKILL')
  })

  it('that could not start has given the terminal back', async () => {
    const terminal = start('', { foreground: true }, 'sigshield-no-such-command')
    await terminal.shows('failed: execve')
    await parentReads(terminal)
  })
})

it('foreground is refused by the system where there is no terminal', async () => {
  const code = `import { spawnProtected } from 'sigshield'
    try { spawnProtected('true', { foreground: true }) } catch ({ code, step }) { process.exitCode = code === 'ENXIO' && step === 'open' ? 7 : 1 }`
  const child = ended(
    spawnProtected(process.execPath, ['--input-type=module', '-e', code], { detached: true, stdio: 'inherit' }),
  )
  expect(await closed(child)).toEqual({ code: 7, signal: null })
})
