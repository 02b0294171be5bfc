/** The page: what it shows, in this order. */

import { Banner } from "./panels/banner/banner.tsx";
import { ChartPanel } from "./panels/chart/chart.tsx";
import { HealthStrip } from "./panels/health/health.tsx";
import { TapePanel } from "./panels/tape/tape.tsx";
import { Header } from "./ui/header.tsx";

export function App() {
  return (
    <>
      <Header />
      <main>
        <HealthStrip />
        <ChartPanel />
        <TapePanel />
      </main>
      <Banner />
    </>
  );
}
