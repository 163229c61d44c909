import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive, SIGINT } from '../support/processes.js'
import { CTRL_C, Terminal } from '../support/terminal.js'

const demo = join(import.meta.dirname, '../../examples/demo.mjs')
const cleanup = 'Doing cleanup before leaving ...'

/** The process ids that the demo names in its first line. */
const pidsOn = (terminal: Terminal) =>
  (/parent (\d+) started a \w+ worker (\d+)/.exec(terminal.screen) ?? []).slice(1).map(Number)

describe.each(['node', 'python'])('Ctrl-C in a terminal, with a %s worker', (worker) => {
  it('reaches the parent alone: the worker cleans up, is joined, and nothing is left', async () => {
    const terminal = new Terminal(process.execPath, [demo, '--worker', worker])
    await terminal.shows('job 1')
    const pids = pidsOn(terminal)
    expect(pids.filter(isAlive)).toHaveLength(2)
    terminal.type(CTRL_C)
    // By the signal itself, so that its own caller sees it.
    expect(await terminal.exit).toMatchObject({ signal: SIGINT })
    expect(terminal.screen).toMatch(
      /Ctrl-C: asking the worker to leave[\s\S]*Doing cleanup before leaving \.\.\.\r\nThe worker left with code 0/,
    )
    expect(terminal.screen).not.toContain('KeyboardInterrupt')
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('kills the unprotected worker in the middle of its job (the control)', async () => {
    const terminal = new Terminal(process.execPath, [demo, '--worker', worker, '--unprotected'])
    await terminal.shows('job 1')
    const pids = pidsOn(terminal)
    expect(pids.filter(isAlive)).toHaveLength(2)
    terminal.type(CTRL_C)
    expect(await terminal.exit).toEqual({ exitCode: 1, signal: 0 })
    expect(terminal.screen).toContain('The worker was killed by SIGINT in the middle of its job')
    expect(terminal.screen).not.toContain(cleanup)
    expect(pids.filter(isAlive)).toEqual([])
  })
})
