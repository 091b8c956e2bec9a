/**
 * One SQL statement. Named, so that Postgres parses and plans it once per connection: planning a
 * CTE costs more than running it. Only `statement` makes them, and it registers all of them:
 * test/integration/db/explain.test.ts checks the plan of each.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly [known]: true;
}

declare const known: unique symbol;

const statements = new Map<string, Statement>();

/** @throws Error if another statement has the name: a connection would run one for the other */
export function statement(name: string, text: string): Statement {
  const made = { name, text } as Statement;
  const other = statements.get(name);
  if (other && other.text !== text) throw new Error(`two statements are named ${name}`);
  statements.set(name, made);
  return made;
}

/** The statements of all imported modules. */
export const allStatements = (): readonly Statement[] => [...statements.values()];
