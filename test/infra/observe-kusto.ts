import '@kusto/language-service-next/bridge.min.js';
import '@kusto/language-service-next/Kusto.Language.Bridge.min.js';
import { TABLES } from './observe-names.js';

/** A column of a query's result. */
export type Column = { name: string; type: string };
/** `names`: the tables, columns and functions that the query refers to; `strings`: its string literals. */
export type Analysis = { problems: string[]; columns: Column[]; names: string[]; strings: string[] };

// Microsoft's own parser and binder of KQL, from .NET: it sets a global, and its lists are read by index.
type List<T> = { Count: number; getItem(index: number): T };
type SyntaxNode = { ReferencedSymbol: { Name: string } | null; LiteralValue: unknown };
type Code = {
  GetDiagnostics(): List<{ Severity: string; Message: string; Start: number }>;
  ResultType: { Columns: List<{ Name: string; Type: { Name: string } }> } | null;
  Syntax: { WalkNodes(visit: (node: SyntaxNode) => void): void };
};
declare const Kusto: {
  Language: {
    KustoCode: { ParseAndAnalyze(query: string, globals: unknown): Code };
    GlobalState: { Default: { WithDatabase(database: unknown): unknown } };
    Symbols: {
      TableSymbol: { From(schema: string): { WithName(name: string): unknown } };
      DatabaseSymbol: { ctor: new (name: string, tables: unknown[]) => unknown };
    };
  };
};

const { KustoCode, GlobalState, Symbols } = Kusto.Language;
const tables = Object.entries(TABLES).map(([name, columns]) =>
  Symbols.TableSymbol.From(`(${Object.entries(columns).map((column) => column.join(': '))})`).WithName(name),
);
const workspace = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', tables));

const known = new Map<string, Analysis>();

/** Checks a query against the documented tables of the workspace, and returns problems and result columns. */
export function analyse(query: string): Analysis {
  const analysis = known.get(query) ?? look(query);
  known.set(query, analysis);
  return analysis;
}

function look(query: string): Analysis {
  const code = KustoCode.ParseAndAnalyze(query, workspace);
  const names = new Set<string>();
  const strings: string[] = [];
  code.Syntax.WalkNodes((node) => {
    const name = node.ReferencedSymbol?.Name;
    if (name) names.add(name);
    if (typeof node.LiteralValue === 'string') strings.push(node.LiteralValue);
  });
  return {
    problems: all(code.GetDiagnostics()).map(({ Severity, Message, Start }) => `${Severity} at ${Start}: ${Message}`),
    columns: code.ResultType
      ? all(code.ResultType.Columns).map(({ Name, Type }) => ({ name: Name, type: Type.Name }))
      : [],
    names: [...names],
    strings,
  };
}

const all = <T>(list: List<T>) => Array.from({ length: list.Count }, (_, i) => list.getItem(i));
