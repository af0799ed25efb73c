/** The rules that the menu offers; any other rule of RFC 5545 that the API takes can be typed. */
export const RULES: Record<string, string> = {
  "FREQ=DAILY": "Every day",
  "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "Every weekday",
  "FREQ=WEEKLY": "Every week",
  "FREQ=WEEKLY;INTERVAL=2": "Every two weeks",
  "FREQ=MONTHLY": "Every month",
  "FREQ=YEARLY": "Every year",
};
