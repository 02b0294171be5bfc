/** Words of the panel of the flow. */

import type { Medium, NodeHealth } from "../../status/graph.ts";
import { words } from "../../ui/words.ts";

const HEALTH_EN: Record<NodeHealth, string> = {
  ready: "ready",
  degraded: "degraded",
  failed: "failed",
  silent: "no status",
};
const HEALTH_KO: Record<NodeHealth, string> = { ready: "정상", degraded: "저하", failed: "실패", silent: "응답 없음" };
const MEDIUM_EN: Record<Medium, string> = { memory: "memory", kafka: "Kafka", post: "POST", websocket: "WebSocket" };
const MEDIUM_KO: Record<Medium, string> = { memory: "메모리", kafka: "Kafka", post: "POST", websocket: "WebSocket" };

export const WORDS = words(
  {
    title: "Flow",
    nothing: "No stage has told its status yet.",
    picture: (stages: string, machines: string) =>
      `${stages} stages on ${machines} machines; the table below says the same`,
    health: (health: NodeHealth) => HEALTH_EN[health],
    medium: (medium: Medium) => MEDIUM_EN[medium],
    perSecond: (n: string) => `${n}/s`,
    browsers: "browsers",
    table: "As a table",
    stage: "Stage",
    machine: "Machine",
    state: "State",
    gives: "Gives to",
    queue: "Queue",
    queued: (n: string, share: string) => `${n} · ${share} full`,
    fillHint: "messages that are not done, and how full the fullest queue is",
    rejected: "Rejected",
    redelivered: "Sent again",
    restarts: "Restarts",
    copies: (n: string) => `×${n}`,
    legend: "Dashed lines: WebSocket. Dotted line: these read each other's servers.",
  },
  {
    title: "흐름",
    nothing: "아직 상태를 알린 스테이지가 없습니다.",
    picture: (stages, machines) => `머신 ${machines}대의 스테이지 ${stages}개; 아래 표와 같은 내용`,
    health: (health) => HEALTH_KO[health],
    medium: (medium) => MEDIUM_KO[medium],
    perSecond: (n) => `${n}/초`,
    browsers: "브라우저",
    table: "표로 보기",
    stage: "스테이지",
    machine: "머신",
    state: "상태",
    gives: "보내는 곳",
    queue: "대기열",
    queued: (n, share) => `${n} · ${share} 사용`,
    fillHint: "끝나지 않은 메시지와 가장 찬 대기열의 비율",
    rejected: "거부",
    redelivered: "재전송",
    restarts: "재시작",
    copies: (n) => `×${n}`,
    legend: "파선: WebSocket. 점선: 서로의 서버를 읽음.",
  },
);
