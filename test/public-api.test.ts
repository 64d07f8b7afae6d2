import ts from 'typescript';
import { expect, test } from 'vitest';

const ENTRIES = {
  slicewise: 'src/index.ts',
  'slicewise/node': 'src/node/index.ts',
  'slicewise/browser': 'src/browser/index.ts',
  'slicewise/cornerstone': 'extension/cornerstone/index.ts',
  'slicewise/ohif': 'src/node/ohif-files.ts',
};

test('the public API is the one that the snapshot shows', async () => {
  const program = ts.createProgram(Object.values(ENTRIES), {
    ...ts.parseJsonConfigFileContent(
      ts.readConfigFile('tsconfig.json', ts.sys.readFile.bind(ts.sys)).config,
      ts.sys,
      '.',
    ).options,
  });
  const text = Object.entries(ENTRIES)
    .map(([name, file]) => `# ${name}\n\n${describeExports(program, file).join('\n')}\n`)
    .join('\n');
  await expect(text).toMatchFileSnapshot('./public-api.snap.txt');
});

/** One line an export: its kind, name, and type or members. */
function describeExports(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is no module`);
  return checker
    .getExportsOfModule(module)
    .map((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      return `${exported.name}: ${describeSymbol(checker, symbol)}`;
    })
    .sort();
}

const FORMAT = (ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope) as ts.TypeFormatFlags;
const FORMAT_ALIAS = (FORMAT | ts.TypeFormatFlags.InTypeAlias) as ts.TypeFormatFlags;

function describeSymbol(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const declaration = symbol.declarations?.[0];
  if (symbol.flags & ts.SymbolFlags.Value && declaration) {
    const kind = symbol.flags & ts.SymbolFlags.Class ? 'class ' : '';
    return kind + checker.typeToString(checker.getTypeOfSymbolAtLocation(symbol, declaration), declaration, FORMAT);
  }
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  if (!type.isClassOrInterface()) {
    return `type ${checker.typeToString(type, declaration, FORMAT_ALIAS)}`;
  }
  const members = checker.getPropertiesOfType(type).map((member) => {
    const optional = member.flags & ts.SymbolFlags.Optional ? '?' : '';
    return `${member.name}${optional}: ${checker.typeToString(checker.getTypeOfSymbol(member), declaration, FORMAT)}`;
  });
  return `interface { ${members.join('; ')} }`;
}
