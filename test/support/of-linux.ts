/** Files of the suite that mean nothing where there is no /proc: on a Mac. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** They look into it, use tools that only Linux has, or support that does. */
const LINUX =
  /\/proc\/|\b(?:prlimit|setpriv|unshare|LD_PRELOAD|stateIn)\b|import \{[^}]*\b(?:programs|signalState|compiledLibrary)\b[^}]*\} from/

/** TEST_WITHOUT_PROC tries the others on Linux as a Mac would run them. */
export function filesOfLinux(): string[] {
  if (existsSync('/proc/self/stat') && !process.env.TEST_WITHOUT_PROC) return []
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file}`)
  return ['test/native/kernel/**', ...files.filter((file) => LINUX.test(readFileSync(file, 'utf8')))]
}
