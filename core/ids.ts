/** Ids of jobs: UUID version 7 (RFC 9562), ordered by time within a process, so that new rows land at the end of an index. */
export { v7 as uuidv7 } from 'uuid';
