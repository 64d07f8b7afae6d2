import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

/** Packages that are loaded with a module: imported by it, or by what it imports, but not by a later `import()`. */
function packagesLoadedWith(entry: string): string[] {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of staticImports(file)) {
      if (name.startsWith('.')) visit(join(dirname(file), name));
      else packages.add(name);
    }
  };
  visit(entry);
  expect(seen.size, relative(SRC, entry)).toBeGreaterThan(1);
  return [...packages].sort();
}

function staticImports(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  return statements.flatMap((statement) => {
    if (ts.isImportDeclaration(statement)) {
      if (statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return [];
    } else if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return [];
    const { moduleSpecifier } = statement;
    return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier) ? [moduleSpecifier.text] : [];
  });
}

test('a page that has loaded the core has loaded no runtime, no codec and no DICOM writer', () => {
  const packages = packagesLoadedWith(join(SRC, 'index.ts'));
  expect(packages.length).toBeGreaterThan(1);
  expect(packages.filter((name) => /dcmjs|onnxruntime|codec|fast-png|opentype|^node:/.test(name))).toEqual([]);
});
