// Queues to look at: what a panel shows in the middle of a working day.

globalThis.scenes = (() => {
  const words = (text, doubtful = {}) =>
    text.split(" ").map((word, i) => ({ start_s: i, end_s: i + 1, text: word, probability: doubtful[word] ?? 0.97, speaker: null }));

  const said = (fake, start_s, text, doubtful, more) =>
    fake.segment(start_s, ` ${text}`, { words: words(text, doubtful), ...more });

  function talk(fake) {
    return [
      said(fake, 0, "Good morning, and thank you all for coming to the second review of the river survey."),
      said(fake, 6.4, "We have three recordings from the field, two from the boat and one from the bridge.", { bridge: 0.41 }),
      said(fake, 12.9, "Doctor Anke Vroom will begin with the sediment cores.", { Anke: 0.33, Vroom: 0.28 }),
      said(fake, 17.2, "Thank you. The cores were taken at low water, between four and six in the morning."),
      said(fake, 24.8, "That is the wind, I think, or the other boat going past.", {}, { avg_logprob: -1.4 }),
      said(fake, 31.5, "As you can see in the first figure, the sand layer thins out towards the bank."),
      said(fake, 38.1, "Below it lies a band of clay that nobody expected, some forty centimetres thick.", { clay: 0.46 }),
      said(fake, 45.7, "We will drill again in April, once the water has gone down."),
    ];
  }

  // Who says each of them; two with names, one of which is long.
  const people = [
    { id: "S1", name: "Chair", color: "" },
    { id: "S2", name: "Dr. Anke Vroom-van der Meulen, Instituut voor Rivierkunde en Sedimentonderzoek", color: "" },
    { id: "S3", name: "", color: "" },
  ];
  function conversation(fake) {
    const who = ["S1", "S1", "S1", "S2", "S3", "S2", "S2", "S1"];
    const segments = talk(fake).map((segment, index) => ({ ...segment, speaker: who[index] }));
    return { segments, speakers: people };
  }

  const now = () => Date.now() / 1000;

  function rows(fake) {
    const mine = (id, more) => fake.row({ id, ...more });
    return [
      mine("a", { name: "river-survey-review-02.m4a", state: "running", stage: "transcribing", percentage: 42.4, eta_s: 187, duration_s: 2712, language: "en", language_probability: 0.98, device: "gpu", model: "large-v3-turbo", job_id: "j1", of: 3, n_segments: 8 }),
      mine("b", { name: "Entrevista com a professora Conceição Evangelista sobre o rio São Francisco — parte 1.mp3", state: "preparing", stage: "downloading-model", stage_percentage: 61, percentage: null, duration_s: 4980, language: "pt", job_id: "j1", of: 3, model: "large-v3-turbo", actions: ["cancel", "open"] }),
      mine("c", { name: "boat-mic-left.wav", state: "queued", ahead: 2, duration_s: 644, eta_s: 1260, job_id: "j1", of: 3, model: "large-v3-turbo" }),
      mine("d", { name: "standup 2026-11-20.ogg", state: "completed", duration_s: 913, language: "en", language_probability: 1, device: "cpu", expires_at: now() + 720, finished_at: "2026-11-20T12:00:00Z" }),
      mine("e", { name: "Oral history, tape 4, side B.mp3", state: "completed", duration_s: 3605, language: "es", device: "gpu", kept: true, actions: ["retry", "unkeep", "delete", "open"], warnings: ["vad_filter is not known to this model: left out"] }),
      mine("f", { name: "board-call.mp4", state: "running", stage: "waiting-for-cloud", percentage: null, engine: "assemblyai", model: "universal-2", sends_audio_to: "AssemblyAI", duration_s: 1804 }),
    ];
  }

  function troubles(fake) {
    const error = (code, message, reason, params) => ({ code, message, reason, params });
    return [
      ...rows(fake).slice(3, 5),
      fake.row({ id: "x1", name: "lecture-07.mkv", state: "failed", percentage: 37, duration_s: 5400, model: "large-v3", device: "gpu", attempt: 2, error: error("out_of_memory", "Not enough memory on the GPU: CUDA failed with error out of memory; a smaller model, a smaller batch_size or compute_type 'int8' needs less", "out_of_memory_int8", { phrase: "GPU", text: "CUDA failed with error out of memory" }) }),
      fake.row({ id: "x2", name: "screen-recording.mp4", state: "rejected", recording_id: null, percentage: null, duration_s: null, error: error("no_audio", "screen-recording.mp4: no audio in this file, only video", "no_audio", { name: "screen-recording.mp4", phrase: "video" }), actions: ["delete"] }),
      fake.row({ id: "x3", name: "interview.wav", state: "canceled", percentage: 64, duration_s: 1200, language: "de" }),
      fake.row({ id: "x4", name: "holiday.zip", state: "rejected", recording_id: null, percentage: null, duration_s: null, error: error("broken_archive", "holiday.zip: not a whole zip, its table of contents is cut off", "zip_cut_table", { name: "holiday.zip" }), actions: ["delete"] }),
    ];
  }

  return { conversation, rows, talk, troubles, said };
})();
