/** The completion scripts, in real shells. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { call, sigshield } from '../support/command.js'
import { temporaryFolder, until } from '../support/processes.js'
import { Terminal } from '../support/terminal.js'

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** What bash offers for these words; the last one is being typed. */
function offered(...words: string[]): string[] {
  const script = `
    source <("$1" completion bash) || exit 9
    shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
    _sigshield
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['--norc', '-c', script, 'bash', sigshield, 'sigshield', ...words],
    // Where no file's name is offered too.
    { encoding: 'utf8', cwd: temporaryFolder() },
  )
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  return stdout.split('\n').filter(Boolean)
}

describe('bash', () => {
  it('commands', () => {
    expect(offered('')).toEqual(['run', 'exec', 'ps', 'stop', 'completion', '--help', '--version'])
    expect(offered('s')).toEqual(['stop'])
  })

  it('every option that the help has', async () => {
    for (const name of ['run', 'exec', 'ps', 'stop']) {
      const { out } = await call([name, '--help'])
      const flags = [...out.matchAll(/^ {4}(?:-\w, )?--(\[no-\])?([\w-]+)/gm)].flatMap(([, no, flag]) =>
        no ? [`--${flag}`, `--no-${flag}`] : [`--${flag}`],
      )
      expect(flags.length).toBeGreaterThan(2)
      expect(offered(name, '--').sort()).toEqual(flags.sort())
    }
  })

  it('signals, lists of them, and words', () => {
    expect(offered('run', '--ignore', 'USR')).toEqual(['USR1', 'USR2'])
    expect(offered('run', '--ignore', 'INT,USR')).toEqual(['INT,USR1', 'INT,USR2'])
    expect(offered('run', '--target', 't')).toEqual(['tree'])
    expect(offered('run', '--enforce', '=', 'a')).toEqual(['auto'])
    expect(offered('completion', '')).toEqual(['bash', 'zsh'])
    expect(offered('run', '--grace', '')).toEqual([])
  })

  it('what takes its value only behind = leaves the next word to the program', () => {
    expect(offered('run', '--enforce', 'tru')).toEqual(offered('run', 'tru'))
    expect(offered('run', '--enforce', 'tru')).toContain('truncate')
    expect(offered('run', '--parent-death-signal', 'T')).not.toContain('TERM')
    expect(offered('run', '--parent-death-signal', '=', 'T')).toContain('TERM')
    expect(offered('run', '--parent-death-signal', '=')).toContain('TERM')
    expect(offered('run', '--enforce', '=', 'auto', 'truncat')).toContain('truncate')
    expect(offered('run', '--enforce', 'truncate', '--ig')).toEqual([])
    expect(offered('run', '--enforce', '--ig')).toEqual(['--ignore'])
    // Where COMP_WORDBREAKS has no =.
    expect(offered('run', '--enforce=a')).toEqual(['--enforce=auto'])
    expect(offered('run', '--ignore=INT,USR')).toEqual(['--ignore=INT,USR1', '--ignore=INT,USR2'])
  })

  it('nothing of ours behind --, or behind the program', () => {
    for (const before of [
      ['--'],
      ['ls'],
      ['--', 'ls'],
      ['--ignore', 'INT', '--'],
      ['--enforce', 'true'],
      ['a', '=', 'b'],
    ]) {
      expect(offered('run', ...before, '--ignore', 'USR')).toEqual([])
      expect(offered('exec', ...before, '--enforce', '=', 'a')).toEqual([])
      expect(offered('run', ...before, '--targ')).toEqual([])
    }
    expect(offered('stop', '--', '--orph')).toEqual([])
    expect(offered('stop', '--', '--signal', 'USR')).toEqual([])
    expect(offered('stop', '5', '--orph')).toEqual(['--orphans'])
    expect(offered('stop', '5', '--signal', 'USR')).toEqual(['USR1', 'USR2'])
    expect(offered('completion', '--', '--he')).toEqual([])
  })

  it('programs, and nothing of ours behind them', () => {
    expect(offered('run', 'sigshiel')).toEqual([])
    expect(offered('run', 'printen')).toContain('printenv')
    expect(offered('run', '--grace', '3', 'printen')).toContain('printenv')
    expect(offered('run', '--', 'printen')).toContain('printenv')
    expect(offered('run', 'ls', '--ig')).toEqual([])
    expect(offered('exec', '--ignore', 'INT', '--', 'ls', '/etc/passw')).toContain('/etc/passwd')
  })

  it('pids', () => {
    expect(offered('stop', String(process.pid))).toContain(String(process.pid))
  })

  it('at a prompt', async () => {
    const terminal = new Terminal('bash', ['--norc', '--noprofile', '-i'])
    terminal.type(
      `PATH=${sigshield.replace('/sigshield.js', '')}:$PATH; sigshield() { :; }; source <(${sigshield} completion bash); echo rea""dy\n`,
    )
    await terminal.shows('ready')
    terminal.type('sigshield ru\t--parent\t')
    await until(() => terminal.screen.includes('sigshield run --parent-death-signal'), 'both are completed')
  })
})

describe.runIf(has('zsh'))('zsh', () => {
  const shell = async () => {
    const terminal = new Terminal('zsh', ['-f', '-i'])
    terminal.type(
      `autoload -U compinit && compinit -u -D; sigshield() { :; }; source <(${sigshield} completion zsh); LISTMAX=10000; echo rea""dy\n`,
    )
    await terminal.shows('ready')
    return terminal
  }

  it.each([
    ['sigshield ru\t', 'sigshield run '],
    ['sigshield run --parent\t', 'sigshield run --parent-death-signal'],
    ['sigshield run --ignore WINC\t', 'sigshield run --ignore WINCH'],
    ['sigshield run --ignore INT,WINC\t', 'sigshield run --ignore INT,WINCH'],
    ['sigshield run --ignore=WINC\t', 'sigshield run --ignore=WINCH'],
    ['sigshield run --target tr\t', 'sigshield run --target tree'],
    ['sigshield run --enforce=aut\t', 'sigshield run --enforce=auto'],
    ['sigshield run --enforce truncat\t', 'sigshield run --enforce truncate'],
    ['sigshield run --enforce -- truncat\t', 'sigshield run --enforce -- truncate'],
    ['sigshield run printen\t', 'sigshield run printenv'],
    ['sigshield exec --ignore INT -- printen\t', 'sigshield exec --ignore INT -- printenv'],
    ['sigshield run ls /etc/passw\t', 'sigshield run ls /etc/passwd'],
    ['sigshield completion zs\t', 'sigshield completion zsh'],
  ])('%j', async (typed, completed) => {
    const terminal = await shell()
    terminal.type(typed)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor is not text
    const text = () => terminal.screen.replace(/\x1b\[[\d;?]*[A-Za-z]|\x1b[=>]|[^\n\x08]\x08/g, '')
    await until(() => text().includes(completed), `'${completed}' in ${JSON.stringify(text().slice(-200))}`)
  })

  it('lists the options with what they mean', async () => {
    const terminal = await shell()
    terminal.type('sigshield stop --\t')
    await terminal.shows('only say what would be done')
  })
})
