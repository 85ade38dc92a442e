import{S as l,ga as e}from"./chunk-CGHKRTYA.js";var d=({text:n})=>n?e("span",{lang:"en",children:l(n)}):null;export{d as a};
