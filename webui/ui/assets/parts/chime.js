// A short sound of two notes, made by the browser itself. Loaded when it is heard first.

import { on } from "../core/bus.js";

const NOTES = [[659.3, 0], [880, 0.14]]; // Hz, and seconds from the beginning
const LASTS = 0.5; // s, of each note
const LOUDNESS = 0.12;
let audio = null;

on("chime", () => {
  audio ??= new AudioContext();
  void audio.resume(); // browsers begin silent until somebody has clicked
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
});
