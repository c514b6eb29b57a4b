declare module '*.css';
/** The URL of the file, from the folder of the page. */
declare module '*.dcm' {
  const url: string;
  export default url;
}
