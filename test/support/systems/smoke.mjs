// What must hold on every system, in plain Node: `node test/support/systems/smoke.mjs` in a built project. Of programs it needs
// /bin/sh and /bin/sleep alone. It is long, as it is one list, and one file to bring along.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { exitEvent, liftGuard } from 'sigshield/child'

const { SIGHUP, SIGINT, SIGTERM } = constants.signals
const quiet = { stdio: 'ignore' }
/** Built here, or brought by the package: then for every system. */
const hasGuard = ['build/Release', `prebuilds/linux-${process.arch}-musl`].some((folder) =>
  existsSync(new URL(`../../../${folder}/sigshield-guard.so`, import.meta.url)),
)

/** A set of signals, or another line, of a process's status. */
const status = (pid, name) =>
  readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${name}:[ \\t]*(.*)$`, 'm'))[1]
const holds = (pid, name, signal) => ((BigInt(`0x${status(pid, name)}`) >> BigInt(signal - 1)) & 1n) === 1n

const sleeper = (options) => spawnProtected('/bin/sleep', ['1000'], { ...quiet, ...options })

/** Its end. A signal that was sent first, and is heard, ends it first. */
async function end(child, ...signals) {
  const exit = once(child, 'exit')
  for (const signal of signals) child.kill(signal)
  return (await exit)[1]
}

async function hasGivenAlone(options) {
  const child = sleeper(options)
  // The kernel closes the others just before it names the process by its program, whose loader has a file open until it
  // sleeps.
  const isAsleep = () => status(child.pid, 'Name') === 'sleep' && status(child.pid, 'State').startsWith('S')
  while (!isAsleep()) await new Promise(setImmediate)
  assert.deepEqual(readdirSync(`/proc/${child.pid}/fd`), ['0', '1', '2'])
  await end(child, 'SIGKILL')
}

/** What a child that is Node says of itself, by then well after it has reset its signals. */
async function ownReport(options) {
  const child = forkProtected(import.meta.filename, ['report'], options)
  const [report] = await once(child, 'message')
  await once(child, 'exit')
  return { enforced: child.enforced, ...report }
}

async function failure(command, options) {
  try {
    const child = spawnProtected(command, [], { ...quiet, ...options })
    const [error] = await once(child, 'error')
    throw error
  } catch ({ code, step }) {
    return { code, step }
  }
}

const family = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === process.pid)
function parentOf(pid) {
  try {
    return Number(status(pid, 'PPid'))
  } catch {
    return 0
  }
}
function lives(pid) {
  try {
    return !status(pid, 'State').startsWith('Z')
  } catch {
    return false
  }
}

const checks = {
  'a child ignores from its first instruction': async () => {
    const child = sleeper({ ignore: ['SIGINT', 'SIGHUP'] })
    assert(holds(child.pid, 'SigIgn', SIGINT) && holds(child.pid, 'SigIgn', SIGHUP))
    assert(!holds(child.pid, 'SigIgn', SIGTERM))
    assert.equal(await end(child, 'SIGINT', 'SIGHUP', 'SIGTERM'), 'SIGTERM')
  },
  'one that does not ignore hears it': async () => {
    assert.equal(await end(sleeper({ ignore: [] }), 'SIGINT'), 'SIGINT')
  },
  'a Node child can’t undo it': async () => {
    assert.equal((await ownReport({ enforce: true })).ignores, true)
  },
  'one that is not enforced does': async () => {
    assert.equal((await ownReport({ enforce: false })).ignores, false)
  },
  'nor under the guard, until it lifts it': async () => {
    if (!hasGuard) return 'the guard was not built for this system'
    assert.deepEqual(await ownReport({ enforce: 'guard' }), {
      enforced: 'guard',
      ignores: true,
      lifted: ['SIGINT'],
      handles: true,
    })
    assert.deepEqual(await ownReport({ enforce: false }), {
      enforced: false,
      ignores: false,
      lifted: [],
      handles: true,
    })
  },
  'nor does a shell, or what it starts': async () => {
    if (!hasGuard) return 'the guard was not built for this system'
    const script = "trap 'echo handled' INT; kill -INT $$; /bin/sh -c 'kill -INT $$; echo lives'"
    const output = async (options) => {
      let text = ''
      for await (const chunk of spawnProtected('/bin/sh', ['-c', script], options).stdout) text += chunk
      return text
    }
    assert.equal(await output({ ignore: [] }), 'handled\n')
    try {
      assert.equal(await output({ enforce: 'guard' }), 'lives\n')
    } catch (error) {
      if (error.code === 'ENOTSUP' && /it is static/.test(error.message)) return 'the shell here is static: not covered'
      throw error
    }
  },
  'without PATH a program is found where child_process finds it': async () => {
    const found = async (start) => {
      const child = start('node', ['-e', '0'], { ...quiet, env: {} })
      return (await Promise.race([once(child, 'exit'), once(child, 'error')]).catch((error) => [error.code]))[0]
    }
    assert.equal(await found(spawnProtected), await found(spawn))
  },
  'a child starts with exactly the mask': async () => {
    const child = sleeper({ block: ['SIGTERM'] })
    assert.equal(BigInt(`0x${status(child.pid, 'SigBlk')}`), 1n << BigInt(SIGTERM - 1))
    assert.equal(await end(child, 'SIGTERM', 'SIGKILL'), 'SIGKILL')
  },
  'the exit event reaches a fork, which answers': async () => {
    const event = new ExitEvent()
    const child = forkProtected(import.meta.filename, ['wait'], { exitEvent: event })
    const reports = []
    child.on('message', (report) => reports.push(report))
    await once(child, 'message')
    const exit = once(child, 'exit')
    event.set()
    assert.deepEqual(await exit, [0, null])
    assert.deepEqual(reports, [{ connected: true, set: false }, { reason: 'requested' }])
  },
  'messages come back': async () => {
    const child = forkProtected(import.meta.filename, ['echo'])
    child.send({ text: 'ü'.repeat(100_000) })
    const [{ text }] = await once(child, 'message')
    assert.equal(text.length, 100_000)
    assert.deepEqual(await once(child, 'exit'), [0, null])
  },
  'stop() ends who hears it, and kills who does not': async () => {
    assert.deepEqual(await sleeper().stop(), { code: null, signal: 'SIGTERM', forced: false })
    const deaf = sleeper({ ignore: ['SIGTERM'], exitEvent: new ExitEvent() })
    assert.deepEqual(await deaf.stop({ grace: 10 }), { code: null, signal: 'SIGKILL', forced: true })
  },
  'stop() takes a whole group': async () => {
    const child = spawnProtected('/bin/sh', ['-c', '/bin/sleep 1000 & echo $!; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      processGroup: true,
    })
    const [line] = await once(child.stdout, 'data')
    assert.equal(Number(status(Number(line), 'PPid')), child.pid)
    const closed = once(child, 'close')
    await child.stop({ target: 'group' })
    // The grandchild held the pipe too.
    await closed
  },
  'a failed start tells its step': async () => {
    assert.deepEqual(await failure('/no/such/program'), { code: 'ENOENT', step: 'execve' })
    assert.deepEqual(await failure('/bin/sleep', { cwd: '/no/such/folder' }), { code: 'ENOENT', step: 'chdir' })
    assert.deepEqual(await failure('/bin/sleep', { processGroup: 999_999_999 }), { code: 'EPERM', step: 'setpgid' })
  },
  'another user, and no groups': async () => {
    if (process.getuid() !== 0) return 'needs root'
    const child = sleeper({ uid: 65_534, gid: 65_534 })
    assert.match(status(child.pid, 'Uid'), /^(65534\s*){4}$/)
    assert.match(status(child.pid, 'Gid'), /^(65534\s*){4}$/)
    assert.equal(status(child.pid, 'Groups').trim(), '')
    assert(holds(child.pid, 'SigIgn', SIGINT))
    assert.equal(await end(child, 'SIGKILL'), 'SIGKILL')
  },
  'the kernel ends a child with its parent': async () => {
    const parent = forkProtected(import.meta.filename, ['parent'])
    const [pid] = await once(parent, 'message')
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    // Sent by the kernel as the parent ends: it is gone, or nobody's zombie yet.
    while (lives(pid)) await new Promise(setImmediate)
  },
  'descriptors are exactly those given': () => hasGivenAlone({}),
  'so they are where very many are open, and carry what is said': async () => {
    const held = Array.from({ length: 1100 }, () => openSync('/dev/null'))
    try {
      await hasGivenAlone({ stdio: 'pipe' })
      const echo = spawnProtected('/bin/sh', ['-c', 'read line; echo "$line"'], { stdio: ['pipe', 'pipe', 'ignore'] })
      echo.stdin.end('heard\n')
      const [[output], exit] = await Promise.all([once(echo.stdout, 'data'), once(echo, 'exit')])
      assert.deepEqual([String(output), ...exit], ['heard\n', 0, null])
    } finally {
      for (const fd of held) closeSync(fd)
    }
  },
  'what it used is known': async () => {
    const child = spawnProtected('/bin/sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'], quiet)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert(child.resourceUsage.userCPUTime + child.resourceUsage.systemCPUTime > 0)
  },
  '200 starts leave nothing': async () => {
    await end(sleeper(), 'SIGKILL')
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 10; i += 1) {
      await Promise.all(Array.from({ length: 20 }, () => end(sleeper(), 'SIGKILL')))
    }
    assert.equal(readdirSync('/proc/self/fd').length, before)
    assert.deepEqual(family(), [])
  },
}

const roles = {
  report() {
    process.on('SIGINT', () => {})
    const ignores = holds('self', 'SigIgn', SIGINT)
    const lifted = liftGuard()
    process.send({ ignores, lifted, handles: holds('self', 'SigCgt', SIGINT) }, () => process.disconnect())
  },
  async wait() {
    const event = exitEvent()
    process.send({ connected: event.connected, set: event.isSet() })
    await event.wait()
    process.send({ reason: event.reason }, () => process.disconnect())
  },
  echo() {
    process.once('message', (message) => process.send(message, () => process.disconnect()))
  },
  parent() {
    process.send(sleeper({ parentDeathSignal: true }).pid)
  },
}

async function main() {
  const { version, arch, report } = process
  const libc = report.getReport().header.glibcVersionRuntime ? 'glibc' : 'another libc'
  console.log(`Node ${version} ${arch}, ${libc}, ${realpathSync('/proc/self/exe')}`)
  let passed = 0
  let failed = 0
  for (const [name, check] of Object.entries(checks)) {
    try {
      const left = await check()
      console.log(left ? `  left out  ${name}: ${left}` : `  ok  ${name}`)
      if (!left) passed += 1
    } catch (error) {
      failed += 1
      console.log(`  FAILED  ${name}\n${error.stack}`)
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  for (const pid of family()) process.kill(Number(pid), 'SIGKILL')
  process.exit(failed === 0 ? 0 : 1)
}

const role = roles[process.argv[2]]
await (role ? role() : main())
