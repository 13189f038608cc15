/**
 * ProgramBackend: the port behind `main`. How a program prints its error and ends.
 *
 * Independent of: why it ends.
 */

/** The program that runs, as its runtime sees it. */
export interface ProgramBackend {
  /** Sets the exit code for when the program ends by itself. */
  setExitCode(code: number): void;
  /**
   * Resolves when what was written to the outputs is with the system. Nothing is to be written
   * after it.
   */
  flush(): Promise<void>;
  /** Ends the program. What was not flushed is lost. */
  exit(code: number): void;
  /** Ends the program as the signal does by default. Nobody listens to it any more. */
  die(signal: string): void;
  /** Prints what was thrown to the error output. */
  printError(error: unknown): void;
  /** From now on it is no error where the reader of an output has gone. */
  ignoreClosedOutput(): void;
}
