/** What the public declarations say of themselves; and their examples, word for word: each prints what its comments say. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { expect, it } from 'vitest'
import * as library from '../../lib/index.js'
import * as signals from '../../lib/signals.js'
import { folderWith, root } from '../support/examples/pages.js'

const run = promisify(execFile)
const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)

const examples = files.flatMap((file) => {
  const text = readFileSync(join(root, 'lib', file), 'utf8')
  return [...text.matchAll(/@example\n((?: +\* (?!@).*\n)+)[\s\S]*?\*\/\n(.*)/g)].map(([, lines, declaration]) => ({
    of: `${file}: ${declaration?.match(/\w+(?= extends| =|[<(])/)?.[0] ?? declaration?.trim()}`,
    code: (lines as string).replace(/^ +\* /gm, ''),
  }))
})

/** What the reader has imported. */
const prelude = `
import { exec } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ${Object.keys(library)} } from 'sigshield'
import { exitEvent as eventOfThisProcess, liftGuard } from 'sigshield/child'
import { ${Object.keys(signals).filter((name) => !(name in library))} } from 'sigshield/signals'
const exitEvent = eventOfThisProcess
const work = () => {}
`

/** An example may have a name of its own for its event. */
const preludeFor = (code: string) =>
  code.includes('const exitEvent =') ? prelude.replace('const exitEvent = eventOfThisProcess\n', '') : prelude

interface Call {
  readonly name: string
  readonly tags: readonly string[]
  readonly isVoid: boolean
  /** Of which nothing is said. */
  readonly unsaid: readonly string[]
}

/** All that a user can call: functions, constructors, methods, and what is called by itself. */
function calls(): Call[] {
  const entries = ['index', 'child', 'signals'].map((name) => join(root, 'lib', `${name}.ts`))
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const program = ts.createProgram(entries, ts.parseJsonConfigFileContent(config, ts.sys, root).options)
  const checker = program.getTypeChecker()
  const found = new Map<ts.Declaration, Call>()
  const add = (name: string, signatures: readonly ts.Signature[]) => {
    for (const call of signatures) {
      const declaration = call.getDeclaration() as ts.Declaration | undefined
      if (!declaration?.getSourceFile().fileName.startsWith(join(root, 'lib'))) continue
      const tags = call.getJsDocTags().map((tag) => tag.name)
      if (tags.includes('internal')) continue
      const isVoid = /^(void|Promise<void>)$/.test(checker.typeToString(call.getReturnType()))
      const unsaid = call.getParameters().filter((param) => param.getDocumentationComment(checker).length === 0)
      found.set(declaration, { name, tags, isVoid, unsaid: unsaid.map((param) => param.name) })
    }
  }
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile) as ts.Symbol
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const { name } = symbol
      if (symbol.flags & ts.SymbolFlags.Value) {
        const type = checker.getTypeOfSymbol(symbol)
        add(name, type.getCallSignatures())
        add(`new ${name}`, type.getConstructSignatures())
      }
      if (!(symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) continue
      const type = checker.getDeclaredTypeOfSymbol(symbol)
      add(name, type.getCallSignatures())
      for (const member of type.getProperties()) {
        if (!(member.flags & ts.SymbolFlags.Method) || member.name.startsWith('#')) continue
        add(`${name}.${member.name}`, checker.getTypeOfSymbol(member).getCallSignatures())
      }
    }
  }
  return [...found.values()]
}

const THROWS_NOTHING = new Set(['new ExitEvent', 'valid'])

it('all that can be called says what it takes, returns and throws, and shows it', () => {
  const all = calls()
  const shown = new Set(all.filter(({ tags }) => tags.includes('example')).map(({ name }) => name))
  const lacking = all.flatMap(({ name, tags, isVoid, unsaid }) => [
    ...unsaid.map((param) => `${name}: @param ${param}`),
    ...(isVoid || name.startsWith('new ') || tags.includes('returns') ? [] : [`${name}: @returns`]),
    ...(THROWS_NOTHING.has(name) || tags.includes('throws') ? [] : [`${name}: @throws`]),
    ...(shown.has(name) ? [] : [`${name}: @example`]),
  ])
  expect([...new Set(all.map(({ name }) => name))]).toEqual(
    expect.arrayContaining([
      'spawnProtected',
      'new Supervisor',
      'Supervisor.shutdown',
      'AdoptingProtect',
      'exitEvent',
      'wait',
    ]),
  )
  expect(lacking).toEqual([])
})

it('all that can be called has an example', () => {
  // A ProtectedProcess is what others return.
  const { ProtectedProcess: _, ...made } = library
  const called = [...Object.keys(made), ...Object.keys(signals), 'exitEvent', 'liftGuard']
  const shown = examples.map(({ code }) => code).join('\n')
  expect(called.filter((name) => !new RegExp(`\\b${name}\\b`).test(shown))).toEqual([])
})

it('the examples are right by the types', () => {
  const folder = folderWith(
    Object.fromEntries(examples.map(({ code }, i) => [`example${i}.mts`, `${preludeFor(code)}\n${code}\nexport {}`])),
  )
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    preserveSymlinks: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const program = ts.createProgram(
    examples.map((_, i) => join(folder, `example${i}.mts`)),
    options,
  )
  const wrong = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const index = /example(\d+)\.mts$/.exec(file?.fileName ?? '')?.[1]
    return `${examples[Number(index)]?.of}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(wrong).toEqual([])
})

it.each(examples)('$of', async ({ code }) => {
  // `using` is not known to every Node.
  const { outputText } = ts.transpileModule(preludeFor(code) + code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  const folder = folderWith({
    'example.mjs': outputText,
    'worker.mjs': "import { exitEvent } from 'sigshield/child'\nawait exitEvent().wait()\nprocess.disconnect()\n",
  })
  const expected = [...code.matchAll(/console\.log\(.* \/\/ (.*)$/gm)].map(([, text]) => `${text}\n`)
  expect(await run(process.execPath, ['example.mjs'], { cwd: folder })).toEqual({
    stdout: expected.join(''),
    stderr: '',
  })
})
