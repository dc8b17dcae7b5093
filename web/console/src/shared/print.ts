/** Prints the page as print.css shapes it, under a title that becomes the name of the file. */
export function printPage(title: string): void {
  const before = document.title
  document.title = title
  window.print()
  document.title = before
}
