// A short sound of two notes, made by the browser itself. Loaded when it is heard first.

import { on } from "../core/bus.js";
import { pause } from "../core/timing.js";

const NOTES = [[659.3, 0], [880, 0.14]]; // Hz, and seconds from the beginning
const LASTS = 0.5; // s, of each note
const LOUDNESS = 0.12;
const STARTS = 1000; // ms that the browser may take to begin; what cannot be heard now is not heard later either
let audio = null;
let until = 0; // s of the audio's own time: several jobs that end together make one sound

on("chime", () => void chime());

async function chime() {
  audio ??= new AudioContext();
  // Browsers stay silent until somebody has clicked, and would then play at once whatever was to be heard before.
  if (audio.state !== "running") await Promise.race([audio.resume(), pause(STARTS)]);
  if (audio.state !== "running" || audio.currentTime < until) return;
  until = audio.currentTime + LASTS;
  for (const [hertz, after] of NOTES) {
    const begin = audio.currentTime + after;
    const [tone, volume] = [new OscillatorNode(audio, { frequency: hertz }), new GainNode(audio, { gain: 0 })];
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + LASTS);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + LASTS);
  }
}
