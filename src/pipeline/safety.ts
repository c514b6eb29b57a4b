import type { Post } from './post.js';

/**
 * J1: deliveries wait until their job is safe: settled, or with a row. From then on nothing can lose the job.
 *
 *   open        no row, not settled; at most one row is being written     the row or the record is written, or that fails
 *   safe        for good
 */
export class Safety {
  #isSafe = false;
  #posts: Pick<Post, 'safe' | 'unsafe'>[] = [];
  #deferring: Promise<void> | undefined;

  get isSafe(): boolean {
    return this.#isSafe;
  }

  /** `post` is answered when the job is safe. */
  awaitedBy(post: Pick<Post, 'safe' | 'unsafe'>): void {
    this.#posts.push(post);
  }

  /** The job is safe, but its run goes on: deliveries get their answer by `confirm`, at the end or at the deadline. */
  mark(): void {
    this.#isSafe = true;
  }

  /** The job is safe, and the deliveries get their answer. */
  confirm(): void {
    this.#isSafe = true;
    for (const post of this.#posts.splice(0)) post.safe();
  }

  /** The deliveries fail: whether the job is safe is unknown. */
  fail(error: unknown): void {
    for (const post of this.#posts.splice(0)) post.unsafe(error);
  }

  /** Writes a row by `write`, unless one is there or being written. After a failure the next delivery may try again. */
  deferBy(write: () => Promise<void>): Promise<void> {
    if (this.#isSafe) return Promise.resolve();
    this.#deferring ??= write().then(
      () => this.confirm(),
      (error: unknown) => {
        this.#deferring = undefined;
        this.fail(error);
      },
    );
    return this.#deferring;
  }
}
