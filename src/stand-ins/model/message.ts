/** A message of either wire format, in one form. */
export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  /** Everything in it that costs tokens: text, arguments of calls. */
  readonly text: string;
  /** What the model called in this message; absent when it called nothing. */
  readonly calls?: readonly { readonly name: string; readonly arguments: string }[];
}
