/** One step of the schema. */
export interface Migration {
  /** `0001-users-and-keys`. The names order the migrations; the last one is the version of the schema. */
  name: string;
  /** Plain SQL, any number of statements. It runs in a transaction, so `CREATE INDEX CONCURRENTLY` does not work. */
  sql: string;
}
