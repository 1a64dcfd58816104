/** A content written by this same commit (its index in `contents`), or one that is stored already. */
export type ContentRef = { readonly new: number } | { readonly id: number };
