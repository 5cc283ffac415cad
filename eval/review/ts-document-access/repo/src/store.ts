export interface Document { readonly id: string; readonly owner: string }
export interface User { readonly id: string; readonly role: "admin" | "member" }
export interface Link { readonly token: string; readonly document: string; readonly expires: number }
export interface Store {
  findDocument(id: string): Promise<Document | null>;
  findLink(token: string): Promise<Link | null>;
  addLink(link: Link): Promise<void>;
}
