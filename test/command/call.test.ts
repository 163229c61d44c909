/** How the command is called: what it says of itself, and what it refuses before anything is started. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { optionFields } from '../../lib/start/protection.js'
import { call, sh, sigshield } from '../support/command.js'
import { signalSet, temporaryFolder } from '../support/processes.js'

const names = ['run', 'exec', 'ps', 'stop', 'completion']

describe('help', () => {
  it('is printed for all, and for each', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { out, err, code } = await call(args)
      expect({ err, code }).toEqual({ err: '', code: 0 })
      expect(out).toMatch(/^usage: sigshield \[-v \| --version\]/)
      for (const name of names) expect(out).toMatch(new RegExp(`^ {4}${name} {2,}\\w`, 'm'))
    }
  })

  it.each(names)('%s', async (name) => {
    const said = await call([name, '--help'])
    expect(said).toMatchObject({ err: '', code: 0 })
    expect(said.out).toMatch(new RegExp(`^usage: sigshield ${name} \\[<options>\\]`))
    expect(Math.max(...said.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
    expect(await call(['help', name])).toEqual(said)
    expect(await call([name, '-h'])).toEqual(said)
  })

  it('loads no command, and no addon', async () => {
    const { err } = await sh(
      'strace -f -qq -e trace=openat -e signal=none "$@" 2>&1 >/dev/null | grep -c -e "\\.node" -e relay.js >&2',
      [sigshield, '--help'],
    )
    expect(err).toMatch(/^0\n|strace: not found/)
  })

  it('names every option of a start that the addon knows', async () => {
    const { out } = await call(['exec', '--help'])
    // The command itself waits for its program.
    const system = ['setProcessGroup', 'unenforced', 'ignored', 'blocked', 'enforcement', 'waitsForExec']
    const flags = Object.keys(optionFields)
      .filter((name) => !system.includes(name))
      .map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
    expect(flags).toContain('--parent-death-signal')
    for (const flag of [...flags, '--ignore', '--block', '--[no-]enforce']) expect(out).toContain(flag)
  })
})

it('tells its version', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  for (const flag of ['--version', '-v']) {
    expect(await call([flag])).toEqual({ out: `sigshield ${version}\n`, err: '', code: 0, signal: null })
  }
})

describe('a wrong call', () => {
  const wrong: [string[], string][] = [
    [[], 'sigshield: a command is missing'],
    [['fly'], "sigshield: unknown command 'fly'"],
    [['--fly'], "sigshield: unknown option '--fly'"],
    [['help', 'fly'], "sigshield: unknown command 'fly'"],
    [['constructor'], "sigshield: unknown command 'constructor'"],
    [['runn'], "sigshield: unknown command 'runn' (did you mean 'run'?)"],
    [['rn'], "sigshield: unknown command 'rn' (did you mean 'run'?)"],
    [['help', 'sotp'], "sigshield: unknown command 'sotp' (did you mean 'stop'?)"],
    [['version'], "sigshield: unknown command 'version' (did you mean '--version'?)"],
    [['--verson'], "sigshield: unknown option '--verson' (did you mean '--version'?)"],
    [['-V'], "sigshield: unknown option '-V' (did you mean '-v'?)"],
    [['--json'], "sigshield: unknown option '--json' (it is an option of 'sigshield ps')"],
    [['run'], 'sigshield run: a command is missing'],
    [['run', '--'], 'sigshield run: a command is missing'],
    [['run', '--fly', 'X'], "sigshield run: unknown option '--fly'"],
    [['run', '--ingore', 'INT', 'X'], "sigshield run: unknown option '--ingore' (did you mean '--ignore'?)"],
    [['run', '-x', 'X'], "sigshield run: unknown option '-x'"],
    [['run', '--hep', 'X'], "sigshield run: unknown option '--hep' (did you mean '--help'?)"],
    [['run', '-help', 'X'], "sigshield run: unknown option '-e' (did you mean '--help'?)"],
    [['run', '--no-enforc', 'X'], "sigshield run: unknown option '--no-enforc' (did you mean '--no-enforce'?)"],
    [['run', '--stop', 'INT', 'X'], "sigshield run: unknown option '--stop' (did you mean '--stop-signal'?)"],
    [['run', '--signal', 'TERM', 'X'], "sigshield run: unknown option '--signal' (did you mean '--stop-signal'?)"],
    [['run', '--signl', 'TERM', 'X'], "sigshield run: unknown option '--signl' (did you mean '--stop-signal'?)"],
    [['run', '--dry-run', 'X'], "sigshield run: unknown option '--dry-run' (it is an option of 'sigshield stop')"],
    [['run', '--ignore'], "sigshield run: option '--ignore' needs a value: --ignore <signals>"],
    [['run', '--ignore', '--block', 'X'], "sigshield run: option '--ignore' needs a value: --ignore <signals>"],
    [['run', '--ignore', 'INT,FOO', 'X'], "sigshield run: option '--ignore': unknown signal 'FOO'"],
    [
      ['run', '--ignore', 'SIGTREM', 'X'],
      "sigshield run: option '--ignore': unknown signal 'SIGTREM' (did you mean 'TERM'?)",
    ],
    [['run', '--ignore', 'USR', 'X'], "sigshield run: option '--ignore': unknown signal 'USR'\n"],
    [['run', '--ignore', 'INT,', 'X'], "sigshield run: option '--ignore': unknown signal ''"],
    [['run', '--ignore', '0', 'X'], "sigshield run: option '--ignore': unknown signal '0'"],
    [['run', '--ignore', '33', 'X'], "sigshield run: option '--ignore': unknown signal '33'"],
    [['run', '--ignore', 'RTMIN+31', 'X'], "sigshield run: option '--ignore': unknown signal 'RTMIN+31'"],
    [['run', '--ignore', 'KILL', 'X'], "sigshield run: option '--ignore' must not be SIGKILL"],
    [['run', '--block', 'STOP', 'X'], "sigshield run: option '--block' must not be SIGSTOP"],
    [['run', '--ignore', 'CHLD', 'X'], "sigshield run: option '--ignore' must not be SIGCHLD"],
    [['run', '--grace', 'soon', 'X'], "sigshield run: option '--grace': 'soon' is no duration"],
    [['run', '--grace', '1s,2s,3s', 'X'], "sigshield run: option '--grace': '1s,2s,3s' has more than two"],
    [['run', '--grace', '-1', 'X'], "sigshield run: option '--grace' needs a value"],
    [['run', '--grace=-1', 'X'], "sigshield run: option '--grace': '-1' is no duration"],
    [['run', '--grace', '25d', 'X'], "sigshield run: option '--grace': '25d' is no duration"],
    [['run', '--enforce=maybe', 'X'], "sigshield run: option '--enforce': 'maybe' is not one of true, auto, false"],
    [['run', '--no-enforce=1', 'X'], "sigshield run: option '--no-enforce' takes no value"],
    [['run', '--no-ignore', 'X'], "sigshield run: unknown option '--no-ignore'"],
    [['run', '--exit-event=1', 'X'], "sigshield run: option '--exit-event' takes no value"],
    [['run', '--process-group=me', 'X'], "sigshield run: option '--process-group': 'me' is no number"],
    [['run', '--process-group=0', 'X'], "sigshield run: option '--process-group' is out of range. It must be"],
    [
      ['run', '--process-group=99999999999', 'X'],
      "sigshield run: option '--process-group' is out of range. It must be",
    ],
    [
      ['run', '--groups', '5000000000', 'X'],
      "sigshield run: option '--groups' is out of range: 5000000000. It must be",
    ],
    [
      ['run', '--groups', '99999999999', 'X'],
      "sigshield run: option '--groups' is out of range: 99999999999. It must be",
    ],
    [
      ['run', '--groups', '9'.repeat(400), 'X'],
      `sigshield run: option '--groups': '${'9'.repeat(400)}' is out of range`,
    ],
    [
      ['run', '--groups', '1,4294967295', 'X'],
      "sigshield run: option '--groups' is out of range: 4294967295. It must be",
    ],
    [['run', '--groups', '1,x', 'X'], "sigshield run: option '--groups': 'x' is no number"],
    [
      ['run', '--enforce', 'true', 'X'],
      "sigshield run: option '--enforce' takes its value behind '=': '--enforce=true' was meant",
    ],
    [
      ['exec', '--enforce', 'auto', '--no-enforce', '--block', 'USR1', 'X'],
      "sigshield exec: option '--enforce' takes its value behind '=': '--enforce=auto' was meant",
    ],
    [
      ['exec', '--parent-death-signal', 'term', 'X'],
      "sigshield exec: option '--parent-death-signal' takes its value behind '=': '--parent-death-signal=term' was meant",
    ],
    [
      ['run', '--process-group', '5', 'X'],
      "sigshield run: option '--process-group' takes its value behind '=': '--process-group=5' was meant",
    ],
    [['run', '--no-enforce', 'true', 'X'], "sigshield run: option '--no-enforce' takes no value"],
    [['run', '--foreground', 'false', 'X'], "sigshield run: option '--foreground' takes no value"],
    [['run', '--target', 'all', 'X'], "sigshield run: option '--target': 'all' is not one of process, group, tree"],
    [['run', '--target', 'group', 'X'], "sigshield run: '--target group' needs '--process-group'"],
    [
      ['run', '--stop-signal', 'INT', 'X'],
      "sigshield run: option '--stop-signal' must be a signal that the child does not",
    ],
    [['run', '--foreground', '--ignore', 'INT', 'X'], "sigshield run: option '--ignore' must not contain SIGINT"],
    [['run', '--parent-death-signal=INT', 'X'], "sigshield run: option '--parent-death-signal' must not be"],
    [['run', '--ignore', 'INT,TERM,HUP,QUIT', 'X'], 'sigshield run: it could not be asked to leave by any signal'],
    [['exec'], 'sigshield exec: a command is missing'],
    [
      ['exec', '--exit-event', 'X'],
      "sigshield exec: unknown option '--exit-event' (it is an option of 'sigshield run')",
    ],
    [
      ['exec', '--grace', '1', 'X'],
      "sigshield exec: unknown option '--grace' (it is an option of 'sigshield run' and 'sigshield stop')",
    ],
    [['exec', '--ignore', 'SEGV', 'X'], "sigshield exec: option '--ignore' must not be SIGSEGV"],
    [['ps', 'x'], "sigshield ps: unexpected argument 'x'"],
    [['ps', '--al'], "sigshield ps: unknown option '--al' (did you mean '--all'?)"],
    [['ps', '--jsn'], "sigshield ps: unknown option '--jsn' (did you mean '--json'?)"],
    [['stop'], 'sigshield stop: a pid is missing, or --orphans'],
    [
      ['stop', '--stop-signal', 'INT', '5'],
      "sigshield stop: unknown option '--stop-signal' (did you mean '--signal'?)",
    ],
    [['stop', '-al'], "sigshield stop: unknown option '-l' (did you mean '--all'?)"],
    [['stop', 'x'], "sigshield stop: 'x' is no pid"],
    [['stop', '0'], "sigshield stop: '0' is no pid"],
    [['stop', '-5'], "sigshield stop: unknown option '-5'"],
    [['stop', '1e3'], "sigshield stop: '1e3' is no pid"],
    [['stop', '4194305'], "sigshield stop: '4194305' is no pid"],
    [['stop', '1'], 'sigshield stop: process 1 is the system'],
    [['stop', String(process.pid)], `sigshield stop: ${process.pid} (`],
    [['stop', '--orphans', '5'], "sigshield stop: '--orphans' takes no pids"],
    [['stop', '--yes', '5'], "sigshield stop: '--yes' needs '--orphans'"],
    [['completion'], 'sigshield completion: a shell is missing: bash or zsh'],
    [['completion', 'fish'], "sigshield completion: unexpected argument 'fish'"],
  ]

  it.each(wrong)('%j', async (args, message) => {
    const mark = join(temporaryFolder(), 'started')
    const { out, err, code, signal } = await call(args.flatMap((arg) => (arg === 'X' ? ['--', 'touch', mark] : [arg])))
    expect({ out, code, signal }).toEqual({ out: '', code: 2, signal: null })
    expect(err.slice(0, message.length)).toBe(message)
    expect(err).toMatch(/^[^\n]+\nSee 'sigshield.* --help'\.\n$/)
    expect(existsSync(mark)).toBe(false)
  })

  it('and a right one (the control)', async () => {
    const mark = join(temporaryFolder(), 'started')
    expect(await call(['run', '--grace', '1', '--', 'touch', mark])).toMatchObject({ err: '', code: 0 })
    expect(existsSync(mark)).toBe(true)
  })
})

describe('what belongs to the program', () => {
  it.each([
    [['printf', '%s|', '--ignore', '-x', '--', 'a']],
    [['--', 'printf', '%s|', '--ignore', '-x', '--', 'a']],
    [['--ignore=none', 'printf', '%s|', '--ignore', '-x', '--', 'a']],
    [['--no-enforce', '--block', 'USR1', '--', 'printf', '%s|', '--ignore', '-x', '--', 'a']],
  ])('%j', async (args) => {
    for (const name of ['run', 'exec']) {
      expect(await call([name, ...args])).toEqual({ out: '--ignore|-x|--|a|', err: '', code: 0, signal: null })
    }
  })
})

/** As a value that stands apart, but no program is behind `--`. */
describe('a program that is named as a value is', () => {
  const none = { out: '', err: '', code: 0, signal: null }
  it.each([
    [['--enforce=auto', 'true'], none],
    [['--parent-death-signal', 'true'], none],
    [['--process-group', 'true', 'x', '--', 'sh'], none],
    [['--process-group', '--', 'true', '--', 'sh'], none],
    [['--process-group', 'echo', '--', 'sh'], { ...none, out: '-- sh\n' }],
    [['--no-enforce', 'true', '--'], none],
    [['--no-enforce', 'false'], { ...none, code: 1 }],
    [['--parent-death-signal', 'kill', '--', '-0'], { ...none, code: 1, err: expect.stringContaining('kill') }],
  ])('%j', async (args, expected) => {
    for (const name of ['run', 'exec']) expect(await call([name, ...args])).toEqual(expected)
  })
})

describe('signals and times are written as people do', () => {
  it.each([
    ['INT,TERM', [2, 15]],
    ['SIGINT,SIGTERM', [2, 15]],
    ['int,sigterm', [2, 15]],
    ['2,15', [2, 15]],
    ['RTMIN,RTMIN+1,RTMAX-1,RTMAX,36', [34, 35, 36, 63, 64]],
    ['none', []],
    ['', []],
  ])('--ignore %j', async (text, numbers) => {
    expect((await call(['exec', `--ignore=${text}`, signalSet])).out).toBe(`${numbers.join(' ')}\n`)
  })

  it('once more adds', async () => {
    const { out } = await call(['exec', '--ignore', 'INT', '--ignore', 'TERM', signalSet])
    expect(out).toBe('2 15\n')
  })
})

it('whose reader leaves ends quietly', async () => {
  const said = await sh('"$1" ps --all --json | head -1', [sigshield])
  expect(said).toEqual({ out: '{\n', err: '', code: 0, signal: null })
})
