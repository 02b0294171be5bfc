/** The page: what it shows, in this order. */

import { Banner } from "./panels/banner/banner.tsx";
import { ChartPanel } from "./panels/chart/chart.tsx";
import { ClientsPanel } from "./panels/clients/clients.tsx";
import { ConsumersPanel } from "./panels/consumers/consumers.tsx";
import { FlowPanel } from "./panels/flow/flow.tsx";
import { HealthStrip } from "./panels/health/health.tsx";
import { KafkaPanel } from "./panels/kafka/kafka.tsx";
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
        <ConsumersPanel />
        <KafkaPanel />
        <FlowPanel />
        <ClientsPanel />
      </main>
      <Banner />
    </>
  );
}
