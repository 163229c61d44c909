/** `sigshield completion`: scripts for shells, written from the table of options. */
import { constants } from 'node:os'
import { type CommandName, commandNames, commands, flagOf, flagsOf, optionsOf, RUNS_PROGRAM } from './options.js'
import { print } from './output.js'
import { parse } from './parse.js'
import { UsageError, usage } from './usage.js'

const scripts = { bash, zsh } as const

export function completion(args: string[]): void {
  const { values, operands } = parse('completion', args)
  if (values.help) {
    print(usage('completion'))
    return
  }
  const [shell, ...others] = operands
  if (shell === undefined) throw new UsageError('a shell is missing: bash or zsh', 'completion')
  if (!Object.hasOwn(scripts, shell) || others.length > 0) {
    throw new UsageError(`unexpected argument '${others[0] ?? shell}': it is bash or zsh`, 'completion')
  }
  print(scripts[shell as keyof typeof scripts]())
}

const signals = Object.keys(constants.signals)
  .map((name) => name.slice(3))
  .join(' ')

/** What may stand behind an option, as a pattern of flags and its words. */
function wordsOf(name: CommandName): [pattern: string, words: string, isList: boolean][] {
  return optionsOf(name).flatMap(([option, { words, adds }]) =>
    words === undefined
      ? []
      : [[flagOf(option), words === 'signals' ? signals : words.join(' '), adds === true] as [string, string, boolean]],
  )
}

function takingNext(name: CommandName): string[] {
  return optionsOf(name).flatMap(([option, { takes, alone }]) =>
    takes !== undefined && alone === undefined ? [flagOf(option)] : [],
  )
}

function bash(): string {
  const cases = commandNames.map((name) => {
    const all = optionsOf(name).flatMap(([option, about]) => flagsOf(option, about))
    const values = wordsOf(name).map(
      ([flag, words, isList]) => `      ${flag}) _sigshield_words '${words}' ${isList ? 'list' : 'one'} ;;\n`,
    )
    const operands =
      name === 'stop'
        ? 'COMPREPLY=($(compgen -W "$(_sigshield_pids)" -- "$cur"))'
        : name === 'completion'
          ? `COMPREPLY=($(compgen -W 'bash zsh' -- "$cur"))`
          : ':'
    return `  ${name})
    options='${all.join(' ')}'
    next='${takingNext(name).join(' ')}'
    _sigshield_values() {
      case $flag in
${values.join('')}      esac
    }
    _sigshield_operands() { ${operands}; }
    ;;
`
  })
  return `# bash completion for sigshield: source <(sigshield completion bash)

_sigshield_pids() { command ps -e -o pid= 2>/dev/null; }

# A word of a list, or the one after the last comma.
_sigshield_words() {
  local before= last=$cur
  if [[ $2 == list && $cur == *,* ]]; then before=\${cur%,*},; last=\${cur##*,}; fi
  COMPREPLY=($(compgen -P "$attached$before" -W "$1" -- "$last"))
  [[ $2 == list ]] && compopt -o nospace 2>/dev/null
}

_sigshield() {
  local cur=\${COMP_WORDS[COMP_CWORD]} name=\${COMP_WORDS[1]} flag= attached= options= next= operand= i word
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commandNames.join(' ')} --help --version' -- "$cur"))
    return
  fi
  case $name in
${cases.join('')}  *) return ;;
  esac
  # The first operand, and which option the last word is a value of.
  for ((i = 2; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then operand=$((i + 1)); break
    elif [[ $word == -* && \${COMP_WORDS[i + 1]} == = ]]; then
      # bash takes --name=value for three words.
      flag=$word; ((i += 2))
    elif [[ " $next " == *" $word "* ]]; then flag=$word; ((i++))
    elif [[ $word != -* ]]; then
      case $name in ${RUNS_PROGRAM.join('|')}) operand=$i; break ;; esac
    fi
  done
  if [[ -n $operand ]]; then
    # What is behind it is no option of ours.
    case $name in ${RUNS_PROGRAM.join('|')}) _command_offset_or_files $operand ;; *) _sigshield_operands ;; esac
  elif ((i > COMP_CWORD)) || [[ $cur == --*=* ]]; then
    if [[ $cur == --*=* ]]; then flag=\${cur%%=*}; attached=$flag=; cur=\${cur#*=}; fi
    [[ $cur == = ]] && cur=
    _sigshield_values
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    case $name in ${RUNS_PROGRAM.join('|')}) COMPREPLY=($(compgen -c -- "$cur")) ;; *) _sigshield_operands ;; esac
  fi
}

_command_offset_or_files() {
  if declare -F _command_offset >/dev/null; then _command_offset "$1"
  elif ((COMP_CWORD == $1)); then COMPREPLY=($(compgen -c -- "$cur"))
  else COMPREPLY=($(compgen -f -- "$cur"))
  fi
}

complete -o default -F _sigshield sigshield
`.replaceAll('_command_offset_or_files', '_sigshield_program')
}

/** For _arguments: a text between quotes. */
const quoted = (text: string) => text.replace(/([[\]:\\])/g, '\\$1').replace(/'/g, "'\\''")

function zsh(): string {
  const cases = commandNames.map((name) => {
    const specs = optionsOf(name).flatMap(([option, about]) => {
      const { takes, alone, words, means, adds } = about
      const value =
        words === 'signals' ? (adds ? '_sigshield_signals' : '_sigshield_signal') : words ? `(${words.join(' ')})` : ' '
      return flagsOf(option, about).map((flag) => {
        const isValued = takes !== undefined && flag.startsWith('--') && !flag.startsWith('--no-')
        const argument = isValued ? `:${quoted(takes.slice(1, -1))}:${value}` : ''
        const separator = !isValued ? '' : alone === undefined ? '=' : '=-'
        return `      '${adds ? '*' : ''}${flag}${separator}[${quoted(means)}]${isValued && alone !== undefined ? `:${argument}` : argument}'`
      })
    })
    const operands = RUNS_PROGRAM.includes(name)
      ? ["      '(-)1:command: _command_names -e'", "      '*::argument: _normal'"]
      : name === 'stop'
        ? ["      '*:pid:_pids'"]
        : name === 'completion'
          ? ["      '1:shell:(bash zsh)'"]
          : []
    return `    ${name})
      _arguments -s -S ${RUNS_PROGRAM.includes(name) ? '-A "-*" ' : ''}\\
${[...specs, ...operands].join(' \\\n')}
      ;;
`
  })
  return `#compdef sigshield
# zsh completion for sigshield: source <(sigshield completion zsh), or as _sigshield in a folder of $fpath

_sigshield_signal() { compadd -- ${signals} }
_sigshield_signals() { compset -P '*,'; compadd -qS , -- ${signals} }

_sigshield() {
  local curcontext=$curcontext state line
  local -a ours=(
${commandNames.map((name) => `    '${name}:${quoted(commands[name].means)}'`).join('\n')}
  )
  _arguments -C '(- *)'{-h,--help}'[show the usage]' '(- *)'{-v,--version}'[show the version]' '1:command:->command' '*::argument:->arguments'
  case $state in
  command) _describe command ours ;;
  arguments)
    case $line[1] in
${cases.join('')}    esac ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _sigshield "$@"; else compdef _sigshield sigshield; fi
`
}
