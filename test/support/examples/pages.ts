/** The programs of a page, and a folder in which they run as a user's do. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../processes.js'

export const root = join(import.meta.dirname, '../../..')

/** Every block of this language. */
export function blocks(page: string, language: string): string[] {
  const content = readFileSync(join(root, page), 'utf8')
  return [...content.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code]) => code as string,
  )
}

/** With the library in reach; each of the files may be executed. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/sigshield'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o755 })
  return folder
}
