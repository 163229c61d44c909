// node test/systems/mac.mjs: what only a real Mac can say, in the order in which it matters, on the Node that runs it. On Linux it
// runs what of it is not a Mac's alone, so that the script itself is known to work.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forkProtected, spawnProtected } from 'sigshield'
import { output, root, run } from './machine.mjs'

const isMac = process.platform === 'darwin'
const folder = mkdtempSync(join(tmpdir(), 'sigshield-mac-'))
const enforce = 'guard'

/** @param {import('node:child_process').ChildProcess} child */
async function text({ stdout }) {
  let all = ''
  for await (const chunk of stdout ?? []) all += chunk
  return all
}

/** A C program of a check's own. */
function compiled(/** @type {string} */ name, /** @type {string} */ code, /** @type {string[]} */ flags = []) {
  const file = join(folder, name)
  writeFileSync(`${file}.c`, code)
  run('cc', [...flags, '-o', file, `${file}.c`])
  return file
}

/** @type {Record<string, () => Promise<string | undefined>>} What a check returns is said beside its name. */
const checks = {
  async 'a storm over a worker and its child, under the guard'() {
    const worker = forkProtected(join(root, 'test/support/guard/stormed-worker.mjs'), {
      ignore: ['SIGINT', 'SIGTERM'],
      enforce,
    })
    assert.equal(worker.enforced, 'guard')
    const pids = [Number(worker.pid)]
    worker.on('message', (pid) => {
      pids.push(Number(pid))
      // As long as the storm is to last: nothing is expected of the time.
      setTimeout(() => worker.send('go on'), 2000)
    })
    let sent = 0
    const storm = setInterval(() => {
      for (const pid of pids) {
        for (const signal of ['SIGINT', 'SIGTERM']) {
          try {
            process.kill(pid, signal)
            sent += 1
          } catch {
            // It has gone.
          }
        }
      }
    }, 1)
    const end = await once(worker, 'exit')
    clearInterval(storm)
    assert.deepEqual(end, [0, null])
    return `${sent} signals`
  },

  async 'without the guard the same worker dies of the first signal'() {
    const worker = forkProtected(join(root, 'test/support/start/echo-worker.mjs'), ['ipc'], { enforce: false })
    await once(worker, 'message')
    worker.kill('SIGINT')
    assert.deepEqual(await once(worker, 'exit'), [null, 'SIGINT'])
    return undefined
  },

  async 'calls that a system library makes are taken too'() {
    // system(3) sets SIGINT and puts it back; signal(3) is a call of sigaction on a Mac.
    const program = compiled(
      'inside',
      `#include <signal.h>
       #include <stdio.h>
       #include <stdlib.h>
       static void handle(int s) { (void)s; puts("handled"); }
       int main(void) { system("true"); signal(SIGINT, handle); raise(SIGINT); puts("lives"); return 0; }`,
    )
    assert.equal(await text(spawnProtected(program, [], { enforce })), 'lives\n')
    assert.equal(await text(spawnProtected(program, [], { ignore: [] })), 'handled\nlives\n')
    return undefined
  },

  async 'a shell of the system’s, which can’t load the guard, and runs'() {
    if (!isMac) return 'left out: a Mac’s alone'
    assert.throws(() => spawnProtected('/bin/sh', ['-c', 'true'], { enforce }), { code: 'ENOTSUP', step: 'guard' })
    const worker = spawn(process.execPath, [
      '-e',
      "require('child_process').spawnSync('/bin/sh',['-c','echo ran'],{stdio:'inherit'})",
    ])
    assert.equal(await text(worker), 'ran\n')
    const child = spawnProtected('/bin/sh', ['-c', 'echo ran'], { enforce: 'auto' })
    assert.equal(child.enforced, false)
    assert.equal(await text(child), 'ran\n')
    const below = "require('child_process').spawnSync('/bin/sh',['-c','echo ran'],{stdio:'inherit'})"
    assert.equal(await text(spawnProtected(process.execPath, ['-e', below], { enforce })), 'ran\n')
    return undefined
  },

  async 'what a start costs, and the first of a new file'() {
    const code = 'int main(void) { return 0; }'
    const program = compiled('nothing', code)
    const fresh = join(folder, 'fresh')
    copyFileSync(program, fresh)
    const timed = async (/** @type {string} */ file) => {
      const start = performance.now()
      const child = spawnProtected(file, [], { stdio: 'ignore', enforce })
      const took = performance.now() - start
      await once(child, 'exit')
      return took
    }
    const first = await timed(fresh)
    const times = []
    for (let i = 0; i < 50; i += 1) times.push(await timed(fresh))
    times.sort((a, b) => a - b)
    return `the first ${first.toFixed(1)} ms, then ${Number(times[25]).toFixed(2)} ms`
  },

  async 'exits come, however many at once'() {
    const children = Array.from({ length: 200 }, () => spawnProtected('true', [], { stdio: 'ignore' }))
    const ends = await Promise.all(children.map((child) => once(child, 'exit')))
    assert.deepEqual(new Set(ends.map(String)), new Set(['0,']))
    return undefined
  },

  async 'a stopped child is seen, made to go on, and ended'() {
    const child = spawnProtected('sleep', ['1000'])
    child.kill('SIGSTOP')
    const { forced } = await child.stop({ grace: 10_000 })
    assert.equal(forced, false)
    return undefined
  },

  async 'a foreground child that is stopped gives the terminal back'() {
    const code = `import { execFileSync } from 'node:child_process'
      import { once } from 'node:events'
      import { spawnProtected } from 'sigshield'
      const holder = () => Number(execFileSync('ps', ['-o', 'tpgid=', '-p', String(process.pid)], { stdio: ['ignore', 'pipe', 'inherit'] }))
      const child = spawnProtected('sleep', ['1000'], { foreground: true, ignore: [], stdio: 'inherit' })
      console.log(String(holder() === child.pid))
      child.kill('SIGSTOP')
      // Only paces the asking.
      while (holder() === child.pid) await new Promise((resolve) => setTimeout(resolve, 20))
      child.kill('SIGKILL')
      console.log(JSON.stringify(await once(child, 'exit')))`
    const python = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
    const argv = ['-c', python, process.execPath, '--input-type=module', '-e', code]
    const said = spawnSync('python3', argv, { cwd: root, encoding: 'utf8', timeout: 60_000 })
    assert.match(said.stdout, /true\s+\[null,"SIGKILL"\]/, said.stderr)
    return undefined
  },

  async 'signals of this process are held, taken, ignored, and as they were afterwards'() {
    const code = `import { disposition, hold, ignore, kill, mask, pending, raise, stateOf, wait, waitSync } from 'sigshield/signals'
      const alive = setInterval(() => {}, 1000)
      const heard = []
      process.on('SIGUSR2', () => heard.push('listener'))
      await hold(['SIGUSR2', 'SIGTERM'], async () => {
        process.kill(process.pid, 'SIGUSR2')
        process.kill(process.pid, 'SIGTERM')
        await new Promise(setImmediate)
        heard.push((await wait(['SIGTERM'])).name)
      })
      while (heard.length < 2) await new Promise(setImmediate)
      const ignored = ignore(['SIGHUP'])
      process.kill(process.pid, 'SIGHUP')
      heard.push(disposition('SIGHUP'), String(stateOf(process.pid).ignored.includes('SIGHUP')))
      ignored[Symbol.dispose]()
      mask('block', ['SIGHUP'])
      raise('SIGHUP')
      heard.push(pending().join(), waitSync(['SIGHUP'], 0).name, disposition('SIGHUP'))
      kill(process.pid, 0, stateOf(process.pid))
      console.log(heard.join(' '))
      clearInterval(alive)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    assert.equal(await text(child), 'SIGTERM listener ignored true SIGHUP SIGHUP default\n')
    return undefined
  },

  async 'the command: run ends as its program, exec becomes it, ps shows it'() {
    const command = (/** @type {string[]} */ ...args) =>
      spawnSync(join(root, 'bin/sigshield.js'), args, { encoding: 'utf8' })
    assert.equal(command('run', '--', 'sh', '-c', 'exit 7').status, 7)
    assert.equal(command('run', '--ignore', 'none', '--', 'sh', '-c', 'kill -TERM $$').signal, 'SIGTERM')
    const becomes = spawn(join(root, 'bin/sigshield.js'), [
      'exec',
      '--ignore',
      'HUP',
      '--',
      'sh',
      '-c',
      'echo $$; kill -HUP $$; echo lives',
    ])
    assert.equal(await text(becomes), `${becomes.pid}\nlives\n`)
    assert.equal(command('exec', '--', 'no-such-command').status, 127)
    const shown = spawnProtected('sleep', ['1000'], { ignore: ['SIGTERM'] })
    const { processes } = JSON.parse(command('ps', '--json').stdout)
    assert.ok(processes.some((/** @type {{ pid: number }} */ { pid }) => pid === shown.pid))
    assert.match(command('stop', '--grace', '0', String(shown.pid)).stdout, /killed/)
    return undefined
  },
}

console.log(`Node ${process.version} ${process.arch} on ${output('uname', ['-a']).trim()}`)
if (isMac) spawnSync('sysctl', ['-n', 'sysctl.proc_translated'], { stdio: 'inherit' })
let failed = 0
for (const [name, check] of Object.entries(checks)) {
  try {
    const said = await check()
    console.log(`  ok  ${name}${said ? `: ${said}` : ''}`)
  } catch (error) {
    failed += 1
    console.log(`  FAILED  ${name}\n${Object(error).stack}`)
  }
}
rmSync(folder, { recursive: true })
process.exit(failed === 0 ? 0 : 1)
