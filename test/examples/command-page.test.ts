/** The sessions of docs/command.md and README, typed into a real terminal: each shows what the page shows. */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type CommandName, commands, flagOf, optionTables } from '../../lib/command/options.js'
import { sigshield } from '../support/command.js'
import { temporaryFolder, until } from '../support/processes.js'
import { CTRL_C, Terminal } from '../support/terminal.js'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/command.md'), 'utf8')
const sections = page.split(/^## /m).slice(1)
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, block]) => block as string)

const PROMPT = '$ '

/** Numbers and times differ from run to run, and with them the width of columns. */
function settled(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\d.]+ (ms|s)\b/g, 'TIME')
    .replace(/\d+/g, 'N')
    .replace(/[ \t]+/g, ' ')
    .trim()
}

class Session {
  readonly #terminal: Terminal

  constructor(folder: string) {
    mkdirSync(join(folder, 'bin'))
    symlinkSync(sigshield, join(folder, 'bin/sigshield'))
    this.#terminal = new Terminal('bash', ['--norc', '--noprofile', '--noediting', '-i'], folder)
    this.#terminal.type(`PS1='${PROMPT}'; PATH=$PWD/bin:$PATH; stty cols 200; clear\n`)
  }

  async ready(from = 0): Promise<void> {
    await until(() => /(^|[\n\rHJ])\$ $/.test(this.#terminal.screen.slice(from)), 'the prompt is there')
  }

  /** What the terminal shows from this command to the next prompt. */
  async answer(command: string, expected: readonly string[]): Promise<string[]> {
    const from = this.#terminal.screen.length
    this.#terminal.type(`${command}\n`)
    const pressed = expected.findIndex((line) => line.startsWith('^C'))
    if (pressed >= 0) {
      await this.#terminal.shows(`${expected[pressed - 1]}\r\n`, from)
      this.#terminal.type(CTRL_C)
    }
    await this.ready(from + command.length)
    return this.#terminal.screen.slice(from).split('\r\n').slice(1, -1)
  }
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const sessions = [page, readme].flatMap((text) => blocks(text, 'console'))

describe('a session', () => {
  it.each(sessions)('%s', async (session) => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(root, join(folder, 'node_modules/sigshield'))
    for (const script of [...blocks(page, 'sh'), ...blocks(readme, 'js')]) {
      const name = /^(?:#|\/\/) (\S+):/.exec(script)?.[1]
      if (name) writeFileSync(join(folder, name), script)
    }
    const shell = new Session(folder)
    await shell.ready()
    for (const step of session.trimEnd().split(/^\$ /m).slice(1)) {
      const [command = '', ...expected] = step.trimEnd().split('\n')
      const shown = (await shell.answer(command, expected)).map(settled)
      // Other processes have rows of their own.
      for (const line of expected.map(settled)) expect(shown).toContain(line)
    }
  })
})

describe('the page', () => {
  it.each(Object.keys(commands) as CommandName[])('has every option of %s', (name) => {
    const section = sections.find((text) => text.startsWith(`${name}\n`)) as string
    for (const option of Object.keys(optionTables[name])) {
      if (option !== 'help') expect(section).toContain(`\`${flagOf(option)}`)
    }
  })
})
