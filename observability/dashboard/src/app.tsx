/** The page: what it shows, in this order. */

import { TapePanel } from "./panels/tape/tape.tsx";
import { Header } from "./ui/header.tsx";

export function App() {
  return (
    <>
      <Header />
      <main>
        <TapePanel />
      </main>
    </>
  );
}
