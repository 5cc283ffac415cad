/** Names inside of sandboxes. */

/** Where a command finds the packages of its tree. */
export const installed = "/dependencies";

/** Where an installation finds the door to the registries (a directory with one socket), and where it leaves what it installed. */
export const door = { directory: "/door", socket: "registry" } as const;
export const into = "/into";
