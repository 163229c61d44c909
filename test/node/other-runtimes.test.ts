/** In Bun and Deno nothing can be started, and a worker has its exit event all the same; Electron is a Node that has to be told. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runtimes } from '../support/node/runtimes.js'
import { message } from '../support/node-program.js'
import { closed, ended, line, temporaryFolder } from '../support/processes.js'
import { signalState } from '../support/signal-state.js'

const support = join(import.meta.dirname, '../support')
const refused = join(support, 'node/refused-elsewhere.mjs')
const worker = join(support, 'exit-event/counting-worker.mjs')
const forked = join(support, 'exit-event/worker.mjs')
const leaf = join(support, 'exit-event/leaf.mjs')
const parent = join(support, 'examples/forsaking-parent.mjs')
/** In a shell: of its descriptor 8. */
const inode = `python3 -c 'import os; print(os.fstat(8).st_ino)'`

describe('Node itself', () => {
  it('starts what is tried', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [refused])
    const { outcomes, isLoaded } = JSON.parse(stdout)
    expect(isLoaded).toBe(true)
    expect(outcomes.spawnProtected).toBe('nothing was thrown')
  })
})

describe.each(runtimes)('$name', ({ name, command: [program, ...flags] }) => {
  function start(options: object = {}) {
    const exitEvent = new ExitEvent()
    onTestFinished(() => exitEvent.set())
    const child = ended(
      spawnProtected(program, [...flags, worker], { stdio: ['pipe', 'pipe', 'inherit'], exitEvent, ...options }),
    )
    const answer = async (question: string) => {
      child.stdin?.write(`${question}\n`)
      return line(child.stdout)
    }
    return { child, exitEvent, answer }
  }

  it('is refused what needs the addon, by one sentence, and nothing native is loaded', async () => {
    const { stdout } = await promisify(execFile)(program, [...flags, refused])
    const { outcomes, ...rest } = JSON.parse(stdout)
    expect(rest).toEqual({ own: 'requested', connected: false, isLoaded: false })
    for (const [attempt, outcome] of Object.entries(outcomes)) {
      expect(outcome, attempt).toEqual({
        name: 'Error',
        code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
        message: expect.stringMatching(new RegExp(`^[^.]*Node.js only[^.]*this is ${name}[^:]*: run .* with node`)),
      })
    }
  })

  it('has a worker that is told, and asking leaves nothing behind', async () => {
    const { child, exitEvent, answer } = start()
    const end = closed(child)
    const descriptors = await answer('count')
    expect(await answer('ask')).toBe('false')
    expect(await answer('sync')).toBe('false')
    expect(await answer('reason')).toBe('undefined')
    expect(await answer('count')).toBe(descriptors)
    exitEvent.set()
    expect([await line(child.stdout), await line(child.stdout)].sort()).toEqual(['aborted: requested', 'waited: true'])
    expect(await answer('reason')).toBe('requested')
    expect(await answer('ask')).toBe('true')
    child.stdin?.end()
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it('has a worker that ignores SIGINT while it blocks its thread for the event', async () => {
    const { child, exitEvent, answer } = start({ enforce: true })
    expect(await answer('ask')).toBe('false')
    expect(signalState(child.pid as number).ignored).toContain(2)
    child.stdin?.write('block\n')
    child.kill('SIGINT')
    exitEvent.set()
    // Where it has not begun to block yet, the loop may tell of the event first.
    while ((await line(child.stdout)) !== 'true');
    child.stdin?.end()
    expect((await closed(child)).code).toBe(0)
  })

  it('has a worker that knows a request from a death, whoever has read the line', async () => {
    const { child, exitEvent, answer } = start()
    expect(await answer('ask')).toBe('false')
    const fd = openSync(`/proc/${child.pid}/fd/${await answer('descriptor')}`, 'r')
    child.kill('SIGSTOP')
    exitEvent.set()
    expect(readSync(fd, Buffer.alloc(64))).toBeGreaterThan(0)
    closeSync(fd)
    child.kill('SIGCONT')
    expect([await line(child.stdout), await line(child.stdout)].sort()).toEqual(['aborted: requested', 'waited: true'])
    child.stdin?.end()
    expect((await closed(child)).code).toBe(0)
  })

  it('has a worker that is forked, and keeps its protection', async () => {
    const exitEvent = new ExitEvent()
    onTestFinished(() => exitEvent.set())
    const child = ended(forkProtected(forked, { execPath: program, execArgv: [...flags], exitEvent }))
    expect(await message(child)).toEqual({ connected: true, isSet: false, aborted: false })
    child.send('wait')
    expect(await message(child)).toBe('waiting')
    child.kill('SIGINT')
    exitEvent.set()
    expect(await message(child)).toEqual({ way: 'wait', reason: 'requested' })
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })

  it('has a worker that is told of its parent’s death', async () => {
    const args = [parent, program, ...flags, leaf]
    const middle = ended(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(await line(middle.stdout)).toBe('{"connected":true,"isSet":false}')
    const end = once(middle, 'close')
    const reason = line(middle.stdout)
    middle.kill('SIGKILL')
    expect(await reason).toBe('orphaned')
    await end
  })

  it('has a worker that is set already when it was set before', async () => {
    const exitEvent = new ExitEvent()
    exitEvent.set()
    const child = ended(spawnProtected(program, [...flags, leaf], { stdio: ['ignore', 'pipe', 'inherit'], exitEvent }))
    expect(await line(child.stdout)).toBe('{"connected":true,"isSet":true}')
    expect(await line(child.stdout)).toBe('requested')
    expect((await closed(child)).code).toBe(0)
  })

  it.each([
    ['a descriptor that is not there', 'exec 8<&-', '8', '123'],
    ['another pipe', 'exec 8< <(sleep 1000)', '8', '123'],
    ['a file', 'exec 8</etc/passwd', '8', '123'],
    ['the end that is written to', 'exec 8> >(sleep 1000)', '8', `$(${inode})`],
    ['no number', ':', 'x', '123'],
  ])('is not connected by stale variables: %s', async (_what, redirection, fd, inode) => {
    const script = `${redirection}; SIGSHIELD_EXIT_FD=${fd} SIGSHIELD_EXIT_INODE=${inode} "$@"; kill $! 2>/dev/null || :`
    const { stdout } = await promisify(execFile)('bash', ['-c', script, '-', program, ...flags, leaf])
    expect(stdout).toBe('{"connected":false,"isSet":false}\n')
  })

  it('is connected by right ones (the control)', async () => {
    const script = `exec 8< <(:); SIGSHIELD_EXIT_FD=8 SIGSHIELD_EXIT_INODE=$(${inode}) "$@"`
    const { stdout } = await promisify(execFile)('bash', ['-c', script, '-', program, ...flags, leaf])
    expect(stdout).toMatch(/^\{"connected":true,/)
    expect(stdout).toContain('orphaned')
  })
})

it('in Electron a fork is told to be Node, not the application', async () => {
  const module = join(temporaryFolder(), 'child.mjs')
  writeFileSync(module, 'process.send([process.env.ELECTRON_RUN_AS_NODE, process.env.KEPT])')
  const code = `Object.defineProperty(process.versions, 'electron', { value: '40.0.0' })
    const { forkProtected } = await import('sigshield')
    for (const env of [undefined, { KEPT: 'given' }]) {
      const child = forkProtected(${JSON.stringify(module)}, { env, execArgv: [] })
      child.on('message', (told) => console.log(JSON.stringify(told)))
      await new Promise((resolve) => child.on('exit', resolve))
    }`
  const env = { ...process.env, KEPT: 'inherited' }
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', env })
  expect(out).toBe('["1","inherited"]\n["1","given"]\n')
})
